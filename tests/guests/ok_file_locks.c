/* SPDX-License-Identifier: MIT */
/*
 * ok_file_locks.c - locks on files, of threads and against a child: correct
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

static char path[] = "/tmp/ok_file_locksXXXXXX";
static volatile int shared;	/* flock(2) is no barrier to compilers */

static int lock_ofd(int fd, short type, int how)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(fd, how, &l);
}

static void *count_flock(void *arg)
{
	int fd = open(path, O_RDWR);

	(void)arg;
	for (int i = 0; i < 2; i++) {
		assert(!flock(fd, LOCK_EX));
		shared++;
		assert(!flock(fd, LOCK_UN));
	}
	/* Closing it gives it back, too. */
	assert(!flock(fd, LOCK_EX));
	shared++;
	close(fd);
	return NULL;
}

static void *count_ofd(void *arg)
{
	int fd = open(path, O_RDWR);

	(void)arg;
	for (int i = 0; i < 3; i++) {
		assert(!lock_ofd(fd, F_WRLCK, F_OFD_SETLKW));
		shared++;
		assert(!lock_ofd(fd, F_UNLCK, F_OFD_SETLKW));
	}
	close(fd);
	return NULL;
}

static void check(void *(*count)(void *))
{
	pthread_t t[2];

	shared = 0;
	for (int i = 0; i < 2; i++)
		t[i] = guest_start(count, NULL);
	for (int i = 0; i < 2; i++)
		guest_join(t[i]);
	assert(shared == 6);
}

/* Locks of the process: threads do not keep each other out. */
static void *lock_again(void *arg)
{
	assert(!lockf(*(int *)arg, F_LOCK, 0));
	return NULL;
}

static void check_process(void)
{
	int fd = open(path, O_RDWR);
	pthread_t t;

	assert(!lockf(fd, F_LOCK, 0));
	t = guest_start(lock_again, &fd);
	guest_join(t);
	assert(!lockf(fd, F_ULOCK, 0));
	close(fd);
}

/* The child has the lock, says so, and keeps it until it ends. */
static void check_child(int how)
{
	int ready[2], fd = open(path, O_RDWR);
	pid_t pid;
	char c;

	assert(!pipe(ready));
	pid = fork();
	assert(pid >= 0);
	if (!pid) {
		fd = open(path, O_RDWR);
		assert(!(how == LOCK_EX ? flock(fd, LOCK_EX)
					: lock_ofd(fd, F_WRLCK, how)));
		assert(write(ready[1], "x", 1) == 1);
		usleep(20000);
		_exit(0);
	}
	assert(read(ready[0], &c, 1) == 1);
	assert(!(how == LOCK_EX ? flock(fd, LOCK_EX)
				: lock_ofd(fd, F_WRLCK, how)));
	assert(waitpid(pid, NULL, 0) == pid);
	close(fd);
	close(ready[0]);
	close(ready[1]);
}

int main(int argc, char **argv)
{
	(void)argv;
	close(mkstemp(path));
	check(count_flock);
	check(count_ofd);
	check_process();
	if (argc > 1) {
		check_child(LOCK_EX);
		check_child(F_SETLKW);
		check_child(F_OFD_SETLKW);
	}
	unlink(path);
	return guest_ok();
}
