/* SPDX-License-Identifier: MIT */
/*
 * ok_spinlock.c - pthread spin locks, and a hand-made one: correct
 */
#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

#include "guest.h"

static pthread_spinlock_t spin;
static atomic_flag own = ATOMIC_FLAG_INIT;
static int total, own_total;

static void *add(void *arg)
{
	int seen, rc;

	pthread_spin_lock(&spin);
	seen = total;
	sched_yield();
	total = seen + 1;
	pthread_spin_unlock(&spin);

	rc = pthread_spin_trylock(&spin);
	assert(!rc || rc == EBUSY);
	if (!rc)
		pthread_spin_unlock(&spin);

	while (atomic_flag_test_and_set(&own))
		continue;
	seen = own_total;
	sched_yield();
	own_total = seen + 1;
	atomic_flag_clear(&own);
	return arg;
}

int main(void)
{
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	guest_run(3, add);
	assert(total == 3 && own_total == 3);
	pthread_spin_destroy(&spin);
	return guest_ok();
}
