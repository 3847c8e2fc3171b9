/* SPDX-License-Identifier: MIT */
/*
 * lost_update.c - threads count up what they share, in the way of argument 1
 *
 * Broken: short, int, long (one variable and ++), heap (in a block of malloc),
 * stack (in the frame of main), array (a neighbour of others). Correct: atomic,
 * own (each thread its own variable, side by side in one cache line).
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

#define NR_THREADS 2

static short shorts;
static int ints;
static long long longs;
static atomic_int atomics;
static int array[4];
static int *block, *in_frame;
static const char *way;

static void *count(void *arg)
{
	uintptr_t me = (uintptr_t)arg;

	if (!strcmp(way, "short"))
		shorts++;
	else if (!strcmp(way, "int"))
		ints++;
	else if (!strcmp(way, "long"))
		longs++;
	else if (!strcmp(way, "heap"))
		(*block)++;
	else if (!strcmp(way, "stack"))
		(*in_frame)++;
	else if (!strcmp(way, "array"))
		array[2]++;
	else if (!strcmp(way, "atomic"))
		atomics++;
	else
		array[me]++;
	return NULL;
}

int main(int argc, char **argv)
{
	int local = 0, sum;

	in_frame = &local;
	way = argc > 1 ? argv[1] : "int";
	block = calloc(1, sizeof(*block));
	guest_run(NR_THREADS, count);
	sum = shorts + ints + (int)longs + *block + local + atomics +
	      array[0] + array[1] + array[2];
	free(block);
	assert(sum == NR_THREADS);
	return guest_ok();
}
