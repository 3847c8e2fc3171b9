/* SPDX-License-Identifier: MIT */
/*
 * deep.c - a bug that needs exactly the given number of preemptions: 1 to 5
 *
 * Two threads must pass a baton back and forth; each side closes the window for
 * the other one if it goes on without a switch. The end is reached only when
 * every window was met. An even number adds one switch at the start: the other
 * side must have come first.
 */
#include <assert.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int nr_rounds, needs_knock;
static unsigned int stage;	/* odd: a window is open */
static int has_knocked;

/* In stage `from`, go to `to`. */
static void step(unsigned int from, unsigned int to)
{
	pthread_mutex_lock(&lock);
	if (stage == from && (!needs_knock || has_knocked))
		stage = to;
	pthread_mutex_unlock(&lock);
}

static void *offer(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < nr_rounds; i++) {
		step(2 * i, 2 * i + 1);	/* open the window */
		step(2 * i + 1, 1000);	/* and close it for good */
	}
	return NULL;
}

static void *take(void *arg)
{
	(void)arg;
	if (needs_knock) {
		pthread_mutex_lock(&lock);
		has_knocked = stage == 0;
		pthread_mutex_unlock(&lock);
	}
	for (unsigned int i = 0; i < nr_rounds; i++)
		step(2 * i + 1, 2 * i + 2);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int depth = guest_number(argc, argv, 1, 3);
	pthread_t t, u;

	nr_rounds = (depth + 1) / 2;
	needs_knock = depth % 2 == 0;
	t = guest_start(offer, NULL);
	u = guest_start(take, NULL);
	guest_join(t);
	guest_join(u);
	assert(stage != 2 * nr_rounds);
	return guest_ok();
}
