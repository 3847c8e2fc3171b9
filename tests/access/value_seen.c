/* SPDX-License-Identifier: MIT */
/*
 * value_seen.c - it matters which of many stores a load sees
 *
 * Argument 1 is the number of threads, each of which stores its number, 2 the
 * number that must not be seen: 0 is what was there before any of them, n is
 * the thread that was started last.
 */
#include <assert.h>

#include "tests/guests/guest.h"

static volatile unsigned int value;
static unsigned int unlucky;

static void *store(void *arg)
{
	value = (unsigned int)(uintptr_t)arg;
	return NULL;
}

static void *look(void *arg)
{
	unsigned int seen = value;

	assert(seen != unlucky);
	return arg;
}

int main(int argc, char **argv)
{
	unsigned int nr = guest_number(argc, argv, 1, 10);
	pthread_t thread[GUEST_MAX_THREADS], looker;

	unlucky = guest_number(argc, argv, 2, 0);
	if (nr > GUEST_MAX_THREADS)
		return 99;
	for (unsigned int i = 0; i < nr; i++)
		thread[i] = guest_start(store, (void *)(uintptr_t)(i + 1));
	looker = guest_start(look, NULL);
	for (unsigned int i = 0; i < nr; i++)
		guest_join(thread[i]);
	guest_join(looker);
	return guest_ok();
}
