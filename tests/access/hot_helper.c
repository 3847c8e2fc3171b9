/* SPDX-License-Identifier: MIT */
/*
 * hot_helper.c - one function counts what is private, and what is shared
 *
 * The code looks private for thousands of executions. Argument 1: broken, or
 * ok (the shared counter is only used by one thread). Argument 2: how often
 * the private counters are used, 20,000 if not given.
 */
#include <assert.h>
#include <string.h>

#include "tests/guests/guest.h"

static int shared, own[2];
static unsigned int nr_turns;
static int is_ok;

static __attribute__((noinline)) void count(volatile int *n)
{
	(*n)++;
}

static void *work(void *arg)
{
	uintptr_t me = (uintptr_t)arg;

	for (unsigned int i = 0; i < nr_turns; i++)
		count(&own[me]);
	if (!is_ok || !me)
		count(&shared);
	return NULL;
}

int main(int argc, char **argv)
{
	is_ok = argc > 1 && !strcmp(argv[1], "ok");
	nr_turns = guest_number(argc, argv, 2, 20000);
	guest_run(2, work);
	assert(shared == (is_ok ? 1 : 2));
	return guest_ok();
}
