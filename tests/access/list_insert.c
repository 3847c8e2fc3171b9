/* SPDX-License-Identifier: MIT */
/*
 * list_insert.c - threads put nodes in front of one list
 *
 * Argument 1: broken (load, store), or ok (compare and exchange).
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

#define NR_THREADS 3u

struct node {
	struct node *next;
	unsigned int value;
};

static struct node node[NR_THREADS];
static struct node *plain_head;
static struct node *_Atomic atomic_head;
static int is_atomic;

static void *insert(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg;
	struct node *n = &node[me];

	n->value = me;
	if (is_atomic) {
		n->next = atomic_load(&atomic_head);
		while (!atomic_compare_exchange_weak(&atomic_head, &n->next, n))
			continue;
	} else {
		n->next = plain_head;
		plain_head = n;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int nr = 0, sum = 0;
	struct node *n;

	is_atomic = argc > 1 && !strcmp(argv[1], "ok");
	guest_run(NR_THREADS, insert);
	for (n = is_atomic ? atomic_head : plain_head; n; n = n->next) {
		nr++;
		sum += n->value;
	}
	assert(nr == NR_THREADS && sum == NR_THREADS * (NR_THREADS - 1) / 2);
	return guest_ok();
}
