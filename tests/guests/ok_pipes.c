/* SPDX-License-Identifier: MIT */
/*
 * ok_pipes.c - pipes, socket pairs, event descriptors and poll: correct
 */
#include <assert.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"

static int request[2], reply[2], event;

static void *serve(void *arg)
{
	char line[16];
	ssize_t n;

	(void)arg;
	while ((n = read(request[0], line, sizeof(line))) > 0)
		assert(write(reply[0], line, (size_t)n) == n);
	assert(!n);
	return NULL;
}

static void *tell(void *arg)
{
	uint64_t one = 1;

	(void)arg;
	assert(write(event, &one, sizeof(one)) == sizeof(one));
	return NULL;
}

static void ask(const char *text)
{
	struct pollfd p = { .fd = reply[1], .events = POLLIN };
	size_t bytes = strlen(text);
	char line[16];

	assert(write(request[1], text, bytes) == (ssize_t)bytes);
	assert(poll(&p, 1, -1) == 1 && p.revents == POLLIN);
	assert(read(reply[1], line, sizeof(line)) == (ssize_t)bytes);
	assert(!memcmp(line, text, bytes));
}

static void wait_for_event(void)
{
	uint64_t value;
	fd_set set;

	FD_ZERO(&set);
	FD_SET(event, &set);
	assert(select(event + 1, &set, NULL, NULL, NULL) == 1);
	assert(read(event, &value, sizeof(value)) == sizeof(value));
	assert(value == 1);
}

int main(void)
{
	struct pollfd p = { .events = POLLIN };
	pthread_t t, u;

	assert(!pipe(request));
	assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, reply));
	event = eventfd(0, 0);
	assert(event >= 0);
	t = guest_start(serve, NULL);
	u = guest_start(tell, NULL);
	ask("hello");
	ask("world");
	wait_for_event();
	p.fd = event;
	assert(!poll(&p, 1, 1));	/* runs out */
	close(request[1]);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
