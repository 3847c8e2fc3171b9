/* SPDX-License-Identifier: MIT */
/*
 * ok_splice.c - sendfile, splice, tee and vmsplice through full and empty pipes:
 * correct
 */
#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guest.h"

#define BYTES (150 * 1024)

static char text[BYTES], in[BYTES];
static int first[2], second[2];

static void take_all(int fd)
{
	size_t got = 0;

	while (got < BYTES) {
		ssize_t n = read(fd, in + got, BYTES - got);

		assert(n > 0);
		got += (size_t)n;
	}
	assert(!memcmp(in, text, BYTES));
}

static void *put_file(void *arg)
{
	int file = memfd_create("text", 0);
	off_t from = 0;
	size_t put = 0;

	assert(write(file, text, BYTES) == BYTES);
	while (put < BYTES) {
		ssize_t n = sendfile(*(int *)arg, file, &from, BYTES - put);

		assert(n > 0);
		put += (size_t)n;
	}
	assert(from == BYTES);
	close(file);
	return NULL;
}

static void *put_memory(void *arg)
{
	struct iovec v = { text, BYTES };

	while (v.iov_len) {
		ssize_t n = vmsplice(*(int *)arg, &v, 1, 0);

		assert(n > 0);
		v.iov_base = (char *)v.iov_base + n;
		v.iov_len -= (size_t)n;
	}
	return NULL;
}

static void *move_on(void *arg)
{
	size_t moved = 0;

	(void)arg;
	while (moved < BYTES) {
		ssize_t n = splice(first[0], NULL, second[1], NULL,
				   BYTES - moved, 0);

		assert(n > 0);
		moved += (size_t)n;
	}
	return NULL;
}

static void check_copy(void)
{
	pthread_t t = guest_start(put_memory, &first[1]);
	char c[8];

	assert(tee(first[0], second[1], 8, 0) == 8);
	assert(read(second[0], c, 8) == 8 && !memcmp(c, text, 8));
	take_all(first[0]);
	guest_join(t);
}

int main(void)
{
	int pair[2];
	pthread_t t, u;

	for (size_t i = 0; i < BYTES; i++)
		text[i] = (char)(i * 5 + i / 255);
	assert(!pipe(first) && !pipe(second));
	assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	t = guest_start(put_file, &first[1]);
	take_all(first[0]);
	guest_join(t);
	t = guest_start(put_file, &pair[1]);
	take_all(pair[0]);
	guest_join(t);
	t = guest_start(put_memory, &first[1]);
	u = guest_start(move_on, NULL);
	take_all(second[0]);
	guest_join(t);
	guest_join(u);
	check_copy();
	return guest_ok();
}
