/* SPDX-License-Identifier: MIT */
/*
 * queue_lock.c - the lock of Mellor-Crummey and Scott: each waiter has a flag
 * of its own
 *
 * Argument 1: ok, or broken (who leaves does not wait for a successor that is
 * queued, but has not linked itself yet; that one waits for ever).
 */
#include <assert.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

struct waiter {
	_Atomic(struct waiter *) next;
	atomic_int must_wait;
};

static _Atomic(struct waiter *) tail;
static int is_broken;
static int count;

static void acquire(struct waiter *me)
{
	struct waiter *before;

	atomic_store(&me->next, NULL);
	atomic_store(&me->must_wait, 1);
	before = atomic_exchange(&tail, me);
	if (!before)
		return;
	atomic_store(&before->next, me);
	while (atomic_load(&me->must_wait))
		continue;
}

static void release(struct waiter *me)
{
	struct waiter *next = atomic_load(&me->next), *expected = me;

	if (!next) {
		if (atomic_compare_exchange_strong(&tail, &expected, NULL))
			return;
		while (!(next = atomic_load(&me->next))) {
			if (is_broken)
				return;
			sched_yield();
		}
	}
	atomic_store(&next->must_wait, 0);
}

static void *work(void *arg)
{
	struct waiter me;

	for (int i = 0; i < 2; i++) {
		acquire(&me);
		count++;
		release(&me);
	}
	return arg;
}

int main(int argc, char **argv)
{
	is_broken = argc > 1 && !strcmp(argv[1], "broken");
	guest_run(3, work);
	assert(count == 6);
	return guest_ok();
}
