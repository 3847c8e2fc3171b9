/* SPDX-License-Identifier: MIT */
/*
 * ok_big_transfers.c - more than fits in one go, by each call that writes: the
 * other thread takes it out, and the sum is the answer: correct
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guest.h"

#define BYTES (200 * 1024)

static char out[BYTES], in[BYTES];
static int end[2];	/* read, write */

static void *take_all(void *arg)
{
	size_t got = 0;
	ssize_t n;

	(void)arg;
	while ((n = read(end[0], in + got, sizeof(in) - got)) > 0)
		got += (size_t)n;
	assert(!n && got == BYTES);
	return NULL;
}

static void make(int is_socket, int type)
{
	memset(in, 0, sizeof(in));
	if (is_socket)
		assert(!socketpair(AF_UNIX, type, 0, end));
	else
		assert(!pipe(end));
}

static ssize_t by_write(int fd)
{
	return write(fd, out, BYTES);
}

static ssize_t by_writev(int fd)
{
	struct iovec v[4] = { { out, 10 }, { NULL, 0 }, { out + 10, 100000 },
			      { out + 100010, BYTES - 100010 } };

	return writev(fd, v, 4);
}

static ssize_t by_send(int fd)
{
	return send(fd, out, BYTES, 0);
}

static ssize_t by_sendmsg(int fd)
{
	struct iovec v[2] = { { out, 90000 }, { out + 90000, BYTES - 90000 } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

static ssize_t by_sendmmsg(int fd)
{
	struct iovec v[2] = { { out, 90000 }, { out + 90000, BYTES - 90000 } };
	struct mmsghdr m[2] = {
		{ .msg_hdr = { .msg_iov = &v[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &v[1], .msg_iovlen = 1 } },
	};

	assert(sendmmsg(fd, m, 2, 0) == 2);
	return (ssize_t)(m[0].msg_len + m[1].msg_len);
}

static void check(int is_socket, ssize_t (*put)(int fd))
{
	pthread_t t;

	make(is_socket, SOCK_STREAM);
	t = guest_start(take_all, NULL);
	assert(put(end[1]) == BYTES);
	assert(!(fcntl(end[1], F_GETFL) & O_NONBLOCK));
	close(end[1]);
	guest_join(t);
	assert(!memcmp(in, out, BYTES));
	close(end[0]);
}

/* Two writers of PIPE_BUF bytes each time: none tears the other's apart. */
static void *write_blocks(void *arg)
{
	char block[4096];

	memset(block, *(char *)arg, sizeof(block));
	for (int i = 0; i < 12; i++)
		assert(write(end[1], block, sizeof(block)) == sizeof(block));
	return NULL;
}

static void check_atomic(void)
{
	char names[2] = { 'a', 'b' }, block[4096];
	pthread_t t[2];

	make(0, 0);
	for (int i = 0; i < 2; i++)
		t[i] = guest_start(write_blocks, &names[i]);
	for (int i = 0; i < 24; i++) {
		size_t got = 0;

		while (got < sizeof(block))
			got += (size_t)read(end[0], block + got,
					    sizeof(block) - got);
		for (size_t k = 1; k < sizeof(block); k++)
			assert(block[k] == block[0]);
	}
	guest_join(t[0]);
	guest_join(t[1]);
	close(end[0]);
	close(end[1]);
}

/* The reader goes away in the middle: what was written is the answer. */
static void *take_some(void *arg)
{
	(void)arg;
	assert(read(end[0], in, 1000) == 1000);
	close(end[0]);
	return NULL;
}

static void check_broken(void)
{
	pthread_t t;
	ssize_t n;

	make(0, 0);
	t = guest_start(take_some, NULL);
	n = write(end[1], out, BYTES);
	assert(n > 0 ? n < BYTES : n == -1 && errno == EPIPE);
	assert(write(end[1], out, 1) == -1 && errno == EPIPE);
	guest_join(t);
	close(end[1]);
}

/* Who asked not to block gets what there is room for. */
static void check_nonblocking(void)
{
	ssize_t n;

	make(0, 0);
	assert(!fcntl(end[1], F_SETFL, O_NONBLOCK));
	n = write(end[1], out, BYTES);
	assert(n > 0 && n < BYTES);
	assert(write(end[1], out, BYTES) == -1 && errno == EAGAIN);
	assert(fcntl(end[1], F_GETFL) & O_NONBLOCK);
	close(end[0]);
	close(end[1]);
}

/* Messages are never torn: the sender waits for room for all of one. */
static void *take_messages(void *arg)
{
	static char message[2000];

	(void)arg;
	for (int i = 0; i < 300; i++) {
		assert(recv(end[0], message, sizeof(message), 0) == 2000);
		assert(message[0] == (char)i && message[1999] == (char)i);
	}
	return NULL;
}

static void check_messages(int type)
{
	char message[2000];
	pthread_t t;

	make(1, type);
	t = guest_start(take_messages, NULL);
	for (int i = 0; i < 300; i++) {
		memset(message, i, sizeof(message));
		assert(send(end[1], message, sizeof(message), 0) == 2000);
	}
	guest_join(t);
	close(end[0]);
	close(end[1]);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < BYTES; i++)
		out[i] = (char)(i * 7 + i / 251);
	check(0, by_write);
	check(0, by_writev);
	check(1, by_write);
	check(1, by_writev);
	check(1, by_send);
	check(1, by_sendmsg);
	check(1, by_sendmmsg);
	check_atomic();
	check_broken();
	check_nonblocking();
	check_messages(SOCK_DGRAM);
	check_messages(SOCK_SEQPACKET);
	return guest_ok();
}
