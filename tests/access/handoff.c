/* SPDX-License-Identifier: MIT */
/*
 * handoff.c - plain memory, handed over with a byte through a descriptor
 *
 * Argument 1: ok, or early (the byte goes before the memory is written).
 */
#include <assert.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/guests/guest.h"

static int through_pipe[2], through_socket[2], through_event;
static int a, b, c;
static int is_early;

static void *give(void *arg)
{
	uint64_t one = 1;
	int ok = 1;

	a = !is_early;
	ok &= write(through_pipe[1], "x", 1) == 1;
	a = 1;
	b = 1;
	ok &= write(through_event, &one, sizeof(one)) == sizeof(one);
	c = 1;
	ok &= send(through_socket[0], "x", 1, 0) == 1;
	if (!ok)
		exit(99);
	return arg;
}

int main(int argc, char **argv)
{
	uint64_t event;
	pthread_t t;
	char x;

	is_early = argc > 1 && !strcmp(argv[1], "early");
	through_event = eventfd(0, 0);
	if (pipe(through_pipe) || through_event < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, through_socket))
		return 99;
	t = guest_start(give, NULL);
	if (read(through_pipe[0], &x, 1) != 1)
		return 99;
	if (is_early)
		assert(a == 1);
	if (read(through_event, &event, sizeof(event)) != sizeof(event))
		return 99;
	assert(a == 1 && b == 1);
	if (recv(through_socket[1], &x, 1, 0) != 1)
		return 99;
	assert(c == 1);
	guest_join(t);
	return guest_ok();
}
