/* SPDX-License-Identifier: MIT */
/*
 * order.c - many threads set two variables one after the other; one looks
 *
 * Argument 1 is the number of setters, 2 is "first" when the one that looks is
 * started before them. It must not see the first variable set without the
 * second; it does when it gets in between the earliest two stores, and never
 * again once any of the setters is through.
 */
#include <assert.h>
#include <string.h>

#include "tests/guests/guest.h"

static volatile int a, b;

static void *set(void *arg)
{
	a = 1;
	b = -1;
	return arg;
}

static void *look(void *arg)
{
	int seen_a = a;
	int seen_b = b;

	assert((seen_a == 0 && seen_b == 0) || (seen_a == 1 && seen_b == -1));
	return arg;
}

int main(int argc, char **argv)
{
	unsigned int nr = guest_number(argc, argv, 1, 5);
	pthread_t thread[GUEST_MAX_THREADS], looker;
	int is_first = argc > 2 && !strcmp(argv[2], "first");

	if (nr > GUEST_MAX_THREADS)
		return 99;
	if (is_first)
		looker = guest_start(look, NULL);
	for (unsigned int i = 0; i < nr; i++)
		thread[i] = guest_start(set, NULL);
	if (!is_first)
		looker = guest_start(look, NULL);
	for (unsigned int i = 0; i < nr; i++)
		guest_join(thread[i]);
	guest_join(looker);
	return guest_ok();
}
