/* SPDX-License-Identifier: MIT */
/*
 * straggler.c - one of many threads has to be the last, or the first
 *
 * Argument 1 is the number of workers, 2: last, the watcher, started first,
 * must see that all are done; first, the watcher, started last, that none is.
 * Each worker counts itself with a locked instruction.
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

static atomic_uint nr_done;
static unsigned int unlucky;

static void *work(void *arg)
{
	atomic_fetch_add(&nr_done, 1);
	return arg;
}

static void *watch(void *arg)
{
	assert(atomic_load(&nr_done) != unlucky);
	return arg;
}

int main(int argc, char **argv)
{
	unsigned int nr = guest_number(argc, argv, 1, 10);
	int is_last = argc > 2 && !strcmp(argv[2], "last");
	pthread_t thread[GUEST_MAX_THREADS], watcher;

	if (nr > GUEST_MAX_THREADS)
		return 99;
	unlucky = is_last ? nr : 0;
	if (is_last)
		watcher = guest_start(watch, NULL);
	for (unsigned int i = 0; i < nr; i++)
		thread[i] = guest_start(work, NULL);
	if (!is_last)
		watcher = guest_start(watch, NULL);
	for (unsigned int i = 0; i < nr; i++)
		guest_join(thread[i]);
	guest_join(watcher);
	return guest_ok();
}
