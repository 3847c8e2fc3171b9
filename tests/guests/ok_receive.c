/* SPDX-License-Identifier: MIT */
/*
 * ok_receive.c - receivers that want all of it, many messages, or not to wait for
 * longer than so long: correct
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "guest.h"

static int end[2];

static void *send_in_parts(void *arg)
{
	int parts = *(int *)arg;

	for (int i = 0; i < parts; i++)
		assert(send(end[1], "0123456789", 10, 0) == 10);
	return NULL;
}

static void make(int type)
{
	assert(!socketpair(AF_UNIX, type, 0, end));
}

static void leave(pthread_t t)
{
	guest_join(t);
	close(end[0]);
	close(end[1]);
}

static void check_waitall(void)
{
	char b[40];
	struct iovec v[2] = { { b, 15 }, { b + 15, 25 } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };
	int parts = 4;
	pthread_t t;

	make(SOCK_STREAM);
	t = guest_start(send_in_parts, &parts);
	assert(recv(end[0], b, 40, MSG_WAITALL) == 40 && b[39] == '9');
	leave(t);
	make(SOCK_STREAM);
	t = guest_start(send_in_parts, &parts);
	assert(recvmsg(end[0], &m, MSG_WAITALL) == 40 && b[15] == '5');
	leave(t);
	/* The end of the stream ends it, too. */
	make(SOCK_STREAM);
	parts = 3;
	t = guest_start(send_in_parts, &parts);
	guest_join(t);
	close(end[1]);
	assert(recv(end[0], b, 40, MSG_WAITALL) == 30);
	close(end[0]);
	/* One message is all of a datagram. */
	make(SOCK_DGRAM);
	t = guest_start(send_in_parts, &parts);
	assert(recv(end[0], b, 40, MSG_WAITALL) == 10);
	leave(t);
}

static void check_many(void)
{
	char b[3][16];
	struct iovec v[3];
	struct mmsghdr m[3];
	struct timespec second = { 1, 0 };
	int parts = 3, n;
	pthread_t t;

	for (int i = 0; i < 3; i++) {
		v[i] = (struct iovec){ b[i], 16 };
		m[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &v[i],
						      .msg_iovlen = 1 } };
	}
	make(SOCK_DGRAM);
	t = guest_start(send_in_parts, &parts);
	assert(recvmmsg(end[0], m, 3, 0, NULL) == 3 && m[2].msg_len == 10);
	leave(t);
	make(SOCK_DGRAM);
	t = guest_start(send_in_parts, &parts);
	n = recvmmsg(end[0], m, 3, MSG_WAITFORONE, NULL);
	assert(n >= 1 && n <= 3);
	leave(t);
	make(SOCK_DGRAM);
	t = guest_start(send_in_parts, &parts);
	assert(recvmmsg(end[0], m, 3, 0, &second) >= 1);
	leave(t);
}

static void set_timeout(int fd, int which, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	assert(!setsockopt(fd, SOL_SOCKET, which, &tv, sizeof(tv)));
}

static void *time_out(void *arg)
{
	static char big[4 << 20];
	char b[8];
	ssize_t n;

	(void)arg;
	set_timeout(end[0], SO_RCVTIMEO, 30);
	assert(recv(end[0], b, 8, 0) == -1 && errno == EAGAIN);
	assert(read(end[0], b, 8) == -1 && errno == EAGAIN);
	set_timeout(end[1], SO_SNDTIMEO, 30);
	n = send(end[1], big, sizeof(big), 0);
	assert(n > 0 && n < (ssize_t)sizeof(big));
	assert(write(end[1], big, 4096) == -1 && errno == EAGAIN);
	return NULL;
}

static void *accept_none(void *arg)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)arg;
	assert(!bind(fd, (void *)&a, sizeof(sa_family_t)));
	assert(!listen(fd, 1));
	set_timeout(fd, SO_RCVTIMEO, 5);
	assert(accept(fd, NULL, NULL) == -1 && errno == EAGAIN);
	close(fd);
	return NULL;
}

int main(void)
{
	pthread_t t, u;

	check_waitall();
	check_many();
	make(SOCK_STREAM);
	t = guest_start(time_out, NULL);
	u = guest_start(accept_none, NULL);
	guest_join(u);
	leave(t);
	return guest_ok();
}
