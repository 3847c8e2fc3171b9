/* SPDX-License-Identifier: MIT */
/*
 * proc_reader.c - a program that acts on what the kernel says of it, in files
 * that are another text each time: a replay finds the same text
 *
 *	proc_reader FILE [HOW]	how often it locks follows from that file's bytes
 *
 * HOW it is read: read (the preset), pread, readv, preadv, stream; list for a
 * directory.
 */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int begun;

static void *begin(void *arg)
{
	begun = 1;
	return arg;
}

static unsigned int add(unsigned int sum, const void *bytes, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		sum = sum * 31 + ((const unsigned char *)bytes)[i];
	return sum;
}

static ssize_t fill(int fd, char *bytes, size_t nr, off_t at, const char *how)
{
	const struct iovec piece[] = {
		{ bytes, 100 }, { NULL, 0 }, { bytes + 100, nr - 100 },
	};

	if (!strcmp(how, "pread"))
		return pread(fd, bytes, nr, at);
	if (!strcmp(how, "readv"))
		return readv(fd, piece, 3);
	if (!strcmp(how, "preadv"))
		return preadv(fd, piece, 3, at);
	return read(fd, bytes, nr);
}

static unsigned int ask_stream(const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned int sum = 0;
	char line[512];

	assert(f);
	while (fgets(line, sizeof(line), f))
		sum = add(sum, line, strlen(line));
	fclose(f);
	return sum;
}

/* The numbers of the entries are other ones each time. */
static unsigned int ask_list(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int sum = 0;
	struct dirent *entry;

	assert(dir);
	while ((entry = readdir(dir)))
		sum = add(sum, &entry->d_ino, sizeof(entry->d_ino));
	closedir(dir);
	return sum;
}

/* A number that follows from all bytes of the file. */
static unsigned int ask(const char *name, const char *how)
{
	unsigned int sum = 0;
	char path[64], bytes[512];
	off_t at = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s", name);
	if (!strcmp(how, "stream"))
		return ask_stream(path);
	if (!strcmp(how, "list"))
		return ask_list(path);
	fd = open(path, O_RDONLY);
	assert(fd >= 0);
	while ((n = fill(fd, bytes, sizeof(bytes), at, how)) > 0) {
		sum = add(sum, bytes, (size_t)n);
		at += n;
		if (strcmp(how, "pread") && strcmp(how, "preadv"))
			assert(lseek(fd, 0, SEEK_CUR) == at);
	}
	assert(n == 0);
	close(fd);
	return sum;
}

int main(int argc, char **argv)
{
	unsigned int nr = ask(argc > 1 ? argv[1] : "self/maps",
			      argc > 2 ? argv[2] : "read");
	pthread_t t = guest_start(begin, NULL);
	int seen;

	for (unsigned int i = 0; i < nr % 16; i++) {
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
	}
	seen = begun;
	guest_join(t);
	assert(!seen);
	return guest_ok();
}
