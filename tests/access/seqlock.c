/* SPDX-License-Identifier: MIT */
/*
 * seqlock.c - a reader that tries again when a writer was there
 *
 * The count is odd while the data changes. Argument 1: ok, or broken: no-retry
 * (looks at the count before only), no-odd (reads while it is odd), early (the
 * writer makes it even before it is through).
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

#define NR_WRITES 2

static atomic_uint count;
static atomic_int x, y;
static const char *way;

static void set(atomic_int *to, int value)
{
	atomic_store_explicit(to, value, memory_order_relaxed);
}

static int get(atomic_int *from)
{
	return atomic_load_explicit(from, memory_order_relaxed);
}

static void *write_it(void *arg)
{
	int is_early = !strcmp(way, "early");

	for (int i = 1; i <= NR_WRITES; i++) {
		unsigned int c = atomic_load_explicit(&count,
						      memory_order_relaxed);

		atomic_store_explicit(&count, c + 1, memory_order_relaxed);
		atomic_thread_fence(memory_order_release);
		set(&x, i);
		if (!is_early)
			set(&y, i);
		atomic_store_explicit(&count, c + 2, memory_order_release);
		if (is_early)
			set(&y, i);
	}
	return arg;
}

static void *read_it(void *arg)
{
	unsigned int before, after;
	int seen_x, seen_y;

	do {
		before = atomic_load_explicit(&count, memory_order_acquire);
		seen_x = get(&x);
		seen_y = get(&y);
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&count, memory_order_relaxed);
		if (!strcmp(way, "no-retry"))
			after = before;
		if (!strcmp(way, "no-odd"))
			before &= ~1u, after &= ~1u;
	} while ((before & 1) || before != after);
	assert(seen_x == seen_y);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	way = argc > 1 ? argv[1] : "ok";
	t = guest_start(write_it, NULL);
	u = guest_start(read_it, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
