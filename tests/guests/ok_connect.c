/* SPDX-License-Identifier: MIT */
/*
 * ok_connect.c - connections to a listener whose queue is full, and to one of
 * TCP: correct
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "guest.h"

#define NR 4

static struct sockaddr_un name = { .sun_family = AF_UNIX };
static struct sockaddr_in port = { .sin_family = AF_INET };

static void *accept_some(void *arg)
{
	int listener = *(int *)arg;

	for (int i = 0; i < NR; i++) {
		int fd = accept(listener, NULL, NULL);
		char b = 0;

		assert(fd >= 0 && read(fd, &b, 1) == 1 && b == 'x');
		close(fd);
	}
	return NULL;
}

static void check(int family, struct sockaddr *a, socklen_t bytes)
{
	int listener = socket(family, SOCK_STREAM, 0), fd[NR];
	socklen_t length = family == AF_UNIX ? sizeof(sa_family_t) : bytes;
	pthread_t t;

	/* The kernel chooses the name, or the port. */
	assert(!bind(listener, a, length) && !listen(listener, family == AF_UNIX ? 1 : NR));
	assert(!getsockname(listener, a, &bytes));
	t = guest_start(accept_some, &listener);
	for (int i = 0; i < NR; i++) {
		fd[i] = socket(family, SOCK_STREAM, 0);
		assert(!connect(fd[i], a, bytes));
		assert(write(fd[i], "x", 1) == 1);
	}
	guest_join(t);
	for (int i = 0; i < NR; i++)
		close(fd[i]);
	close(listener);
	fd[0] = socket(family, SOCK_STREAM, 0);
	assert(connect(fd[0], a, bytes) == -1 && errno == ECONNREFUSED);
	close(fd[0]);
}

int main(void)
{
	port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(AF_UNIX, (void *)&name, sizeof(name));
	check(AF_INET, (void *)&port, sizeof(port));
	return guest_ok();
}
