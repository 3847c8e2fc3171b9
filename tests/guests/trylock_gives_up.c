/* SPDX-License-Identifier: MIT */
/*
 * trylock_gives_up.c - backs off from the second lock, and gives up too early
 *
 * With an argument it tries for ever, which always ends under a fair scheduler
 * that is not perfectly symmetric.
 */
#include <assert.h>
#include <sched.h>

#include "guest.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int for_ever;

static int take_both(pthread_mutex_t *first, pthread_mutex_t *second)
{
	for (int i = 0; for_ever || i < 2; i++) {
		pthread_mutex_lock(first);
		if (!pthread_mutex_trylock(second)) {
			pthread_mutex_unlock(second);
			pthread_mutex_unlock(first);
			return 0;
		}
		pthread_mutex_unlock(first);
		sched_yield();
	}
	return -1;
}

static void *forward(void *arg)
{
	(void)arg;
	assert(!take_both(&a, &b));
	return NULL;
}

static void *backward(void *arg)
{
	(void)arg;
	assert(!take_both(&b, &a));
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	(void)argv;
	for_ever = argc > 1;
	t = guest_start(forward, NULL);
	u = guest_start(backward, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
