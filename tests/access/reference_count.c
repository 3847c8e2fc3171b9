/* SPDX-License-Identifier: MIT */
/*
 * reference_count.c - who gives back the last reference frees the block
 *
 * Argument 1: broken (counts with ++ and --), or atomic. A count that was lost
 * frees the block under its users: the memory allocator then uses its first
 * words, so that the pointer in there leads nowhere.
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

struct name {
	const char *volatile text;
	const char *volatile also;
	volatile int refs;
	atomic_int atomic_refs;
};

static struct name *shared;
static int is_atomic;

static void get(struct name *n)
{
	if (is_atomic)
		atomic_fetch_add(&n->atomic_refs, 1);
	else
		n->refs++;
}

static void put(struct name *n)
{
	if (is_atomic ? atomic_fetch_sub(&n->atomic_refs, 1) == 1
		      : --n->refs == 0)
		free(n);
}

/* Has a reference already; takes another one for a while. */
static void *use(void *arg)
{
	struct name *n = arg;

	get(n);
	assert(!strcmp(n->text, "name"));
	put(n);
	assert(!strcmp(n->also, "name"));
	put(n);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	is_atomic = argc > 1 && !strcmp(argv[1], "atomic");
	shared = calloc(1, sizeof(*shared));
	shared->text = shared->also = "name";
	shared->refs = 2;
	shared->atomic_refs = 2;
	t = guest_start(use, shared);
	u = guest_start(use, shared);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
