/* SPDX-License-Identifier: MIT */
/*
 * compute_long.c - much to compute between two operations
 *
 * For some hundred milliseconds a thread does nothing that anybody sees: only
 * in registers, or in its own part of the stack. How often it was looked at
 * meanwhile must leave no trace in the schedule. Argument 1: "registers" or
 * "stack"; 2: "fails": two threads add without a lock behind it.
 */
#include <stdatomic.h>
#include <string.h>

#include "guest.h"

#define TURNS 150000000u
#define STACK_TURNS 40000000u

static const char *where;
static atomic_int sum;

static unsigned int in_registers(unsigned int x)
{
	for (unsigned int i = 0; i < TURNS; i++) {
		x = x * 3 + i;
		__asm__ volatile("" : "+r" (x));
	}
	return x;
}

static unsigned int on_the_stack(unsigned int x)
{
	volatile unsigned int slot[64];
	unsigned int i;

	for (i = 0; i < 64; i++)
		slot[i] = x;
	for (i = 0; i < STACK_TURNS; i++)
		slot[i % 64] += i;
	return slot[0];
}

static void *compute(void *arg)
{
	int seen;

	if (strcmp(where, "stack"))
		in_registers((unsigned int)(uintptr_t)arg);
	else
		on_the_stack((unsigned int)(uintptr_t)arg);
	seen = atomic_load(&sum);
	atomic_store(&sum, seen + 1);
	return NULL;
}

int main(int argc, char **argv)
{
	where = argc > 1 ? argv[1] : "registers";
	guest_run(2, compute);
	if (argc > 2 && sum != 2)
		abort();
	return guest_ok();
}
