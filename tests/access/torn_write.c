/* SPDX-License-Identifier: MIT */
/*
 * torn_write.c - 16 bytes that belong together, in the way of argument 1
 *
 * Broken: two (written by two stores, read by two loads), write (one store of
 * 16 bytes, two loads), read (two stores, one load of 16 bytes). Correct:
 * whole (both at once: an aligned SSE access is indivisible where there is
 * AVX).
 */
#include <assert.h>
#include <string.h>

#include "tests/guests/guest.h"

struct pair {
	_Alignas(16) volatile long low;
	volatile long high;
};

static struct pair shared;
static const char *way;

static void store_whole(struct pair *to, long value)
{
	__asm__ volatile("movq %1, %%xmm0\n\t"
			 "punpcklqdq %%xmm0, %%xmm0\n\t"
			 "movaps %%xmm0, %0"
			 : "=m" (*to) : "r" (value) : "xmm0");
}

static void load_whole(const struct pair *from, struct pair *to)
{
	__asm__ volatile("movaps %1, %%xmm0\n\t"
			 "movaps %%xmm0, %0"
			 : "=m" (*to) : "m" (*from) : "xmm0");
}

static void *write_it(void *arg)
{
	if (!strcmp(way, "two") || !strcmp(way, "read")) {
		shared.low = 7;
		shared.high = 7;
	} else {
		store_whole(&shared, 7);
	}
	return arg;
}

static void *read_it(void *arg)
{
	struct pair seen;

	if (!strcmp(way, "two") || !strcmp(way, "write")) {
		seen.low = shared.low;
		seen.high = shared.high;
	} else {
		load_whole(&shared, &seen);
	}
	assert(seen.low == seen.high);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	way = argc > 1 ? argv[1] : "two";
	t = guest_start(write_it, NULL);
	u = guest_start(read_it, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
