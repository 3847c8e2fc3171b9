/* SPDX-License-Identifier: MIT */
/*
 * ring.c - one thread puts numbers into a ring, one takes them out, no lock
 *
 * Argument 1: ok (acquire and release), or broken: full (off by one, lets the
 * writer overtake), empty (the reader takes before looking), early (the place
 * is announced before the number is in it).
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

#define NR_SLOTS 2u
#define NR_ITEMS 4u

static volatile unsigned int slot[NR_SLOTS];
static atomic_uint head, tail;	/* taken and put so far */
static const char *way;

static void put(unsigned int item)
{
	unsigned int room = NR_SLOTS + !strcmp(way, "full");
	unsigned int t = atomic_load_explicit(&tail, memory_order_relaxed);

	while (t - atomic_load_explicit(&head, memory_order_acquire) >= room)
		continue;
	if (!strcmp(way, "early")) {
		atomic_store_explicit(&tail, t + 1, memory_order_release);
		slot[t % NR_SLOTS] = item;
		return;
	}
	slot[t % NR_SLOTS] = item;
	atomic_store_explicit(&tail, t + 1, memory_order_release);
}

static unsigned int take(void)
{
	unsigned int h = atomic_load_explicit(&head, memory_order_relaxed);
	unsigned int item = 0;

	if (!strcmp(way, "empty"))
		item = slot[h % NR_SLOTS];
	while (atomic_load_explicit(&tail, memory_order_acquire) == h)
		continue;
	if (strcmp(way, "empty"))
		item = slot[h % NR_SLOTS];
	atomic_store_explicit(&head, h + 1, memory_order_release);
	return item;
}

static void *produce(void *arg)
{
	for (unsigned int i = 1; i <= NR_ITEMS; i++)
		put(i);
	return arg;
}

static void *consume(void *arg)
{
	for (unsigned int i = 1; i <= NR_ITEMS; i++)
		assert(take() == i);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	way = argc > 1 ? argv[1] : "ok";
	t = guest_start(produce, NULL);
	u = guest_start(consume, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
