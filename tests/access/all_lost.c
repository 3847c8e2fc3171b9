/* SPDX-License-Identifier: MIT */
/*
 * all_lost.c - of n updates all but one are lost
 *
 * Argument 1 is the number of threads. They add one each, without a lock; that
 * some of the updates are lost is expected, that all but one are is not.
 */
#include <assert.h>

#include "tests/guests/guest.h"

static volatile unsigned int nr;

static void *add(void *arg)
{
	nr = nr + 1;
	return arg;
}

int main(int argc, char **argv)
{
	unsigned int nr_threads = guest_number(argc, argv, 1, 4);

	if (nr_threads > GUEST_MAX_THREADS)
		return 99;
	guest_run(nr_threads, add);
	assert(nr != 1);
	return guest_ok();
}
