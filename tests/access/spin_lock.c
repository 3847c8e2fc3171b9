/* SPDX-License-Identifier: MIT */
/*
 * spin_lock.c - hand-made locks around a counter, by argument 1
 *
 * Correct: exchange, test (looks before it exchanges), compare, ticket.
 * Broken: load-store (waits for the lock to be free, then takes it), early
 * (lets go too soon).
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

#define NR_ROUNDS 2

static atomic_int locked;
static atomic_uint next_ticket, now_serving;
static volatile int counter;
static const char *way;

static void lock(void)
{
	int is_free = 0;

	if (!strcmp(way, "exchange") || !strcmp(way, "early")) {
		while (atomic_exchange_explicit(&locked, 1,
						memory_order_acquire))
			continue;
	} else if (!strcmp(way, "test")) {
		do
			while (atomic_load_explicit(&locked,
						    memory_order_relaxed))
				__builtin_ia32_pause();
		while (atomic_exchange_explicit(&locked, 1,
						memory_order_acquire));
	} else if (!strcmp(way, "compare")) {
		while (!atomic_compare_exchange_weak(&locked, &is_free, 1))
			is_free = 0;
	} else if (!strcmp(way, "ticket")) {
		unsigned int mine = atomic_fetch_add(&next_ticket, 1);

		while (atomic_load_explicit(&now_serving,
					    memory_order_acquire) != mine)
			continue;
	} else {
		while (atomic_load_explicit(&locked, memory_order_acquire))
			continue;
		atomic_store_explicit(&locked, 1, memory_order_release);
	}
}

static void unlock(void)
{
	if (!strcmp(way, "ticket"))
		atomic_store_explicit(&now_serving, now_serving + 1,
				      memory_order_release);
	else
		atomic_store_explicit(&locked, 0, memory_order_release);
}

static void *count(void *arg)
{
	for (int i = 0; i < NR_ROUNDS; i++) {
		int seen;

		lock();
		seen = counter;
		if (!strcmp(way, "early"))
			unlock();
		counter = seen + 1;
		if (strcmp(way, "early"))
			unlock();
	}
	return arg;
}

int main(int argc, char **argv)
{
	way = argc > 1 ? argv[1] : "exchange";
	guest_run(2, count);
	assert(counter == 2 * NR_ROUNDS);
	return guest_ok();
}
