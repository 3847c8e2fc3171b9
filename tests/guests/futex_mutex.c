/* SPDX-License-Identifier: MIT */
/*
 * futex_mutex.c - a mutex made of a futex, as language runtimes have one
 *
 * States: 0 free, 1 held, 2 held and perhaps waited for. With "broken" as
 * argument a woken waiter takes it as 1, and forgets the others who wait.
 */
#include <assert.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

static atomic_uint state;
static unsigned int taken_as = 2;
static int total;

static long futex(atomic_uint *word, int op, unsigned int value)
{
	return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL,
		       NULL, 0);
}

static int take(unsigned int as)
{
	unsigned int expected = 0;

	return atomic_compare_exchange_strong(&state, &expected, as);
}

static void lock(void)
{
	if (take(1))
		return;
	do {
		unsigned int held = 1;

		if (state == 2 ||
		    atomic_compare_exchange_strong(&state, &held, 2))
			futex(&state, FUTEX_WAIT, 2);
	} while (!take(taken_as));
}

static void unlock(void)
{
	if (atomic_exchange(&state, 0) == 2)
		futex(&state, FUTEX_WAKE, 1);
}

static void *add(void *arg)
{
	int seen;

	(void)arg;
	lock();
	seen = total;
	sched_yield();
	total = seen + 1;
	unlock();
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "broken"))
		taken_as = 1;
	guest_run(3, add);
	assert(total == 3);
	return guest_ok();
}
