/* SPDX-License-Identifier: MIT */
/*
 * middle.c - a lost update in the middle of much that is in order
 *
 * Two threads lock and unlock a mutex of their own n times (argument 1), add
 * one to a shared number without a lock, and do the same again. Argument 2:
 * locks, the others (the preset), or reads, which look at a shared number that
 * changes once.
 */
#include <assert.h>
#include <string.h>

#include "tests/guests/guest.h"

static pthread_mutex_t mutex[2] = {
	PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
};
static volatile unsigned int nr, looked_at;
static unsigned int nr_others;
static int is_reading;

static void busy(unsigned int me)
{
	for (unsigned int i = 0; i < nr_others; i++) {
		if (is_reading) {
			(void)looked_at;
			continue;
		}
		pthread_mutex_lock(&mutex[me]);
		pthread_mutex_unlock(&mutex[me]);
	}
}

static void *work(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg;

	busy(me);
	nr = nr + 1;
	busy(me);
	looked_at = me;
	return NULL;
}

int main(int argc, char **argv)
{
	nr_others = guest_number(argc, argv, 1, 10);
	is_reading = argc > 2 && !strcmp(argv[2], "reads");
	guest_run(2, work);
	assert(nr == 2);
	return guest_ok();
}
