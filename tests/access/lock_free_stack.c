/* SPDX-License-Identifier: MIT */
/*
 * lock_free_stack.c - a stack of indices changed by compare and exchange
 *
 * A popped element is pushed again, so the top may be what it was while all
 * below has changed. Argument 1: broken, or ok (a count beside the index makes
 * each top different).
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

#define NR_NODES 3
#define NOTHING 0u

/* Index in the low half, 0 is none; the count in the high one. */
static _Atomic uint64_t top;
static volatile uint32_t next[NR_NODES + 1];
static atomic_int nr_users[NR_NODES + 1];
static uint64_t step;	/* added to the count by each change */

static uint64_t replace(uint64_t old, uint32_t index)
{
	return ((old & ~0xffffffffull) + step) | index;
}

static void push(uint32_t index)
{
	uint64_t old = atomic_load(&top);

	do
		next[index] = (uint32_t)old;
	while (!atomic_compare_exchange_weak(&top, &old, replace(old, index)));
}

static uint32_t pop(void)
{
	uint64_t old = atomic_load(&top);

	do {
		if ((uint32_t)old == NOTHING)
			return NOTHING;
	} while (!atomic_compare_exchange_weak(
			&top, &old, replace(old, next[(uint32_t)old])));
	return (uint32_t)old;
}

static uint32_t take(void)
{
	uint32_t index = pop();

	if (index)	/* an element is one thread's at a time */
		assert(atomic_fetch_add(&nr_users[index], 1) == 0);
	return index;
}

static void give(uint32_t index)
{
	if (!index)
		return;
	atomic_fetch_sub(&nr_users[index], 1);
	push(index);
}

static void *take_one(void *arg)
{
	take();
	return arg;
}

static void *take_two_give_one(void *arg)
{
	uint32_t first = take();

	take();
	give(first);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t, u, v;

	step = argc > 1 && !strcmp(argv[1], "ok") ? 1ull << 32 : 0;
	for (uint32_t i = NR_NODES; i; i--)
		push(i);
	t = guest_start(take_one, NULL);
	u = guest_start(take_two_give_one, NULL);
	guest_join(t);
	v = guest_start(take_one, NULL);
	guest_join(u);
	guest_join(v);
	return guest_ok();
}
