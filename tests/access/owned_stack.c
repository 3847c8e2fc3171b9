/* SPDX-License-Identifier: MIT */
/*
 * owned_stack.c - a lock-free stack whose elements are written by plain stores
 *
 * Who pops an element owns it: it signs it, and finds its own signature, with
 * no synchronisation in between. The stack takes a top that came back for one
 * that was never away, and then an element has two owners. Argument 1: broken, or
 * ok (the top counts its changes).
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

#define NR_ELEMENTS 3

struct element {
	_Atomic uint32_t below;
	volatile int owner;
};

static struct element element[NR_ELEMENTS + 1];	/* 0: none */
static _Atomic uint64_t top;
static uint64_t one_change;

static uint64_t make_top(uint64_t old, uint32_t index)
{
	return ((old & ~0xffffffffull) + one_change) | index;
}

static void push(uint32_t index)
{
	uint64_t old = atomic_load(&top);

	do
		atomic_store(&element[index].below, (uint32_t)old);
	while (!atomic_compare_exchange_strong(&top, &old,
					       make_top(old, index)));
}

static uint32_t pop(void)
{
	uint64_t old = atomic_load(&top);
	uint32_t below;

	do {
		if (!(uint32_t)old)
			return 0;
		below = atomic_load(&element[(uint32_t)old].below);
	} while (!atomic_compare_exchange_strong(&top, &old,
						 make_top(old, below)));
	return (uint32_t)old;
}

static void sign(uint32_t index, int name)
{
	if (!index)
		return;
	element[index].owner = name;
	assert(element[index].owner == name);
}

static void *pop_and_push(void *arg)
{
	int name = (int)(intptr_t)arg;
	uint32_t first = pop(), second;

	sign(first, name);
	second = pop();
	if (first)
		push(first);
	sign(second, name);
	return arg;
}

static void *pop_two(void *arg)
{
	int name = (int)(intptr_t)arg;

	sign(pop(), name);
	sign(pop(), name);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	one_change = argc > 1 && !strcmp(argv[1], "ok") ? 1ull << 32 : 0;
	for (uint32_t i = 1; i <= NR_ELEMENTS; i++)
		push(i);
	t = guest_start(pop_and_push, (void *)1);
	u = guest_start(pop_two, (void *)2);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
