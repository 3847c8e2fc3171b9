/* SPDX-License-Identifier: MIT */
/*
 * private_writes.c - a compare-exchange that is tried again, with writes to
 * private memory between: when these are not watched any more, because they
 * were private in many runs, the replay must not watch them either
 */
#include <assert.h>
#include <explore/explore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "guest.h"

#define NR_NOTES 300
#define LATE 200	/* the failure comes in so many runs, on average */

static atomic_uint top;

__attribute__((noinline)) static void note(unsigned *at, unsigned value)
{
	*(volatile unsigned *)at = value;
}

static void *push(void *arg)
{
	unsigned *mine = calloc(NR_NOTES, sizeof(*mine));

	for (unsigned i = 0; i < NR_NOTES; i++)
		note(&mine[i], i);
	for (int i = 0; i < 3; i++) {
		unsigned seen = atomic_load(&top);

		do
			note(mine, seen);
		while (!atomic_compare_exchange_strong(&top, &seen, seen + 1));
	}
	free(mine);
	return arg;
}

int main(void)
{
	int late = (int)explore_choose(LATE);
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		t[i] = guest_start(push, NULL);
	for (int i = 0; i < 3; i++)
		guest_join(t[i]);
	assert(late != 1);
	return guest_ok();
}
