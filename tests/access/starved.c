/* SPDX-License-Identifier: MIT */
/*
 * starved.c - a thread must not get to run while another does much
 *
 * A writer changes two halves of a value n times (argument 1) and counts
 * modulo n, with too few bits: a reader that looks at the count, at one half,
 * sleeps through n changes and looks at the other half and the count again
 * believes that nothing has happened. Argument 2 is the number of further
 * changes before and after.
 */
#include <assert.h>

#include "tests/guests/guest.h"

static volatile unsigned int count, left, right;
static unsigned int nr_changes, nr_further;

static void *change(void *arg)
{
	unsigned int all = nr_changes + nr_further;

	for (unsigned int i = 1; i <= all; i++) {
		left = i;
		right = i;
		count = i % nr_changes;
	}
	return arg;
}

static void *look(void *arg)
{
	unsigned int before = count;
	unsigned int seen_left = left;
	unsigned int seen_right = right;

	if (count == before)
		assert(seen_right < seen_left + nr_changes);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t writer, reader;

	nr_changes = guest_number(argc, argv, 1, 8);
	nr_further = guest_number(argc, argv, 2, 0);
	writer = guest_start(change, NULL);
	reader = guest_start(look, NULL);
	guest_join(writer);
	guest_join(reader);
	return guest_ok();
}
