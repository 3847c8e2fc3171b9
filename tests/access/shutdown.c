/* SPDX-License-Identifier: MIT */
/*
 * shutdown.c - a crash that takes three threads in a certain order
 *
 * A starter publishes an object in two steps, a stopper takes it away in two,
 * a user checks the first step and uses the second. It crashes when it checks
 * after the start is complete and uses after the stop has begun, and the
 * stopper does nothing unless it has seen the start. Argument 1 is the number
 * of users, 2: count, the stopper waits for nobody but looks whether there are
 * users, who count themselves too late.
 */
#include <stddef.h>
#include <string.h>

#include "tests/guests/guest.h"

struct object {
	volatile int is_there;
};

static struct object object;
static struct object *volatile published;
static volatile int is_ready, nr_users;
static int is_counting;

static void *start(void *arg)
{
	published = &object;
	is_ready = 1;
	return arg;
}

static void *stop(void *arg)
{
	if (!is_ready || (is_counting && nr_users))
		return arg;
	is_ready = 0;
	published = NULL;
	return arg;
}

static void *use(void *arg)
{
	if (!is_ready)
		return arg;
	nr_users = nr_users + 1;
	published->is_there = 1;
	nr_users = nr_users - 1;
	return arg;
}

int main(int argc, char **argv)
{
	unsigned int nr = guest_number(argc, argv, 1, 1);
	pthread_t user[GUEST_MAX_THREADS], starter, stopper;

	if (nr > GUEST_MAX_THREADS)
		return 99;
	is_counting = argc > 2 && !strcmp(argv[2], "count");
	for (unsigned int i = 0; i < nr; i++)
		user[i] = guest_start(use, NULL);
	stopper = guest_start(stop, NULL);
	starter = guest_start(start, NULL);
	for (unsigned int i = 0; i < nr; i++)
		guest_join(user[i]);
	guest_join(stopper);
	guest_join(starter);
	return guest_ok();
}
