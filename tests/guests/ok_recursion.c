/* SPDX-License-Identifier: MIT */
/*
 * ok_recursion.c - threads recurse deep into their stacks: correct
 */
#include <assert.h>
#include <sched.h>

#include "guest.h"

static __attribute__((noinline)) unsigned int descend(unsigned int depth)
{
	volatile unsigned char frame[1024];

	for (unsigned int i = 0; i < sizeof(frame); i += 64)
		frame[i] = (unsigned char)depth;
	if (depth % 512 == 0)
		sched_yield();
	if (depth)
		assert(descend(depth - 1) == depth - 1);
	for (unsigned int i = 0; i < sizeof(frame); i += 64)
		assert(frame[i] == (unsigned char)depth);
	return depth;
}

static void *work(void *arg)
{
	assert(descend(2000) == 2000);
	return arg;
}

int main(void)
{
	guest_run(2, work);
	return guest_ok();
}
