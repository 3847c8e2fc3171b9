/* SPDX-License-Identifier: MIT */
/*
 * bank.c - money goes around among accounts without a lock
 *
 * Argument 1: broken, or ok (the accounts are atomic).
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

#define NR_ACCOUNTS 3u
#define START 100

static long plain[NR_ACCOUNTS];
static atomic_long atomics[NR_ACCOUNTS];
static int is_atomic;

static void transfer(unsigned int from, unsigned int to, long amount)
{
	if (is_atomic) {
		atomic_fetch_sub(&atomics[from], amount);
		atomic_fetch_add(&atomics[to], amount);
	} else {
		plain[from] -= amount;
		plain[to] += amount;
	}
}

static void *work(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg;

	transfer(me, (me + 1) % NR_ACCOUNTS, 10);
	return NULL;
}

int main(int argc, char **argv)
{
	long sum = 0;

	is_atomic = argc > 1 && !strcmp(argv[1], "ok");
	for (unsigned int i = 0; i < NR_ACCOUNTS; i++) {
		plain[i] = START;
		atomics[i] = START;
	}
	guest_run(NR_ACCOUNTS, work);
	for (unsigned int i = 0; i < NR_ACCOUNTS; i++)
		sum += is_atomic ? atomics[i] : plain[i];
	assert(sum == (long)NR_ACCOUNTS * START);
	return guest_ok();
}
