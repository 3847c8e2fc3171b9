/* SPDX-License-Identifier: MIT */
/*
 * livelock.c - two polite threads: each waits until the other wants no more
 *
 * With "locks" as argument they look under a lock, so that each round does
 * something that could be progress.
 */
#include <sched.h>
#include <stdatomic.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int wants[2];
static int looks_locked, served;

static int is_wanting(uintptr_t who)
{
	int value;

	if (!looks_locked)
		return wants[who];
	pthread_mutex_lock(&lock);
	value = wants[who];
	pthread_mutex_unlock(&lock);
	return value;
}

static void *ask(void *arg)
{
	uintptr_t me = (uintptr_t)arg;

	wants[me] = 1;
	pthread_mutex_lock(&lock);
	served++;
	pthread_mutex_unlock(&lock);
	while (is_wanting(!me))
		sched_yield();
	wants[me] = 0;
	return NULL;
}

int main(int argc, char **argv)
{
	(void)argv;
	looks_locked = argc > 1;
	guest_run(2, ask);
	return served == 2 ? guest_ok() : 1;
}
