/* SPDX-License-Identifier: MIT */
/*
 * ok_fifos.c - named pipes: who opens one waits for the other side, be it a
 * thread or a child: correct
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

static char folder[] = "/tmp/ok_fifosXXXXXX", path[64];

static void *read_one(void *arg)
{
	int fd = open(path, O_RDONLY);
	char c = 0;

	(void)arg;
	assert(fd >= 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
	assert(read(fd, &c, 1) == 1 && c == 'x');
	assert(read(fd, &c, 1) == 0);
	close(fd);
	return NULL;
}

static void write_one(int fd)
{
	assert(fd >= 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
	assert(write(fd, "x", 1) == 1);
	close(fd);
}

static void *write_by_name(void *arg)
{
	(void)arg;
	write_one(openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC));
	return NULL;
}

/* Neither waits for the other. */
static void check_nonblocking(void)
{
	int in, out;

	assert(open(path, O_WRONLY | O_NONBLOCK) == -1 && errno == ENXIO);
	in = open(path, O_RDONLY | O_NONBLOCK);
	out = open(path, O_WRONLY);
	assert(in >= 0 && out >= 0);
	close(in);
	close(out);
	in = open(path, O_RDWR);
	assert(in >= 0 && write(in, "y", 1) == 1);
	close(in);
}

static void check_child(int parent_reads)
{
	pid_t pid = fork();

	assert(pid >= 0);
	if (!pid) {
		if (parent_reads)
			write_by_name(NULL);
		else
			read_one(NULL);
		_exit(0);
	}
	if (parent_reads)
		read_one(NULL);
	else
		write_by_name(NULL);
	assert(waitpid(pid, NULL, 0) == pid);
}

int main(int argc, char **argv)
{
	pthread_t t;

	(void)argv;
	assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/pipe", folder);
	assert(!mkfifo(path, 0600));
	check_nonblocking();
	t = guest_start(read_one, NULL);
	write_by_name(NULL);
	guest_join(t);
	t = guest_start(write_by_name, NULL);
	read_one(NULL);
	guest_join(t);
	if (argc > 1) {
		check_child(0);
		check_child(1);
	}
	unlink(path);
	rmdir(folder);
	return guest_ok();
}
