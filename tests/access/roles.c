/* SPDX-License-Identifier: MIT */
/*
 * roles.c - a crowd in which two particular threads must meet
 *
 * Argument 1 is the number of threads that run the same code, each adding one
 * to the slot of its number modulo half of them: each slot has two threads.
 * Fails when the slot in the middle loses an update.
 */
#include <assert.h>

#include "tests/guests/guest.h"

static volatile unsigned int slot[GUEST_MAX_THREADS];
static unsigned int nr_slots;

static void *add(void *arg)
{
	volatile unsigned int *mine = &slot[(uintptr_t)arg % nr_slots];

	*mine = *mine + 1;
	return NULL;
}

int main(int argc, char **argv)
{
	nr_slots = guest_number(argc, argv, 1, 16) / 2;
	if (nr_slots < 1 || nr_slots * 2 > GUEST_MAX_THREADS)
		return 99;
	guest_run(nr_slots * 2, add);
	assert(slot[nr_slots / 2] == 2);
	return guest_ok();
}
