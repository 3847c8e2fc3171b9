/* SPDX-License-Identifier: MIT */
/*
 * order_locked.c - order.c with every variable under a mutex of its own
 *
 * No data race, and the order of the sections decides: argument 1 is the number
 * of setters. The one that looks must not get in between the earliest two
 * sections of any setter.
 */
#include <assert.h>

#include "tests/guests/guest.h"

static pthread_mutex_t lock_a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock_b = PTHREAD_MUTEX_INITIALIZER;
static int a, b;

static void store(pthread_mutex_t *lock, int *at, int value)
{
	pthread_mutex_lock(lock);
	*at = value;
	pthread_mutex_unlock(lock);
}

static int load(pthread_mutex_t *lock, const int *at)
{
	int value;

	pthread_mutex_lock(lock);
	value = *at;
	pthread_mutex_unlock(lock);
	return value;
}

static void *set(void *arg)
{
	store(&lock_a, &a, 1);
	store(&lock_b, &b, 1);
	return arg;
}

static void *look(void *arg)
{
	int seen_a = load(&lock_a, &a);
	int seen_b = load(&lock_b, &b);

	assert(seen_a == seen_b);
	return arg;
}

int main(int argc, char **argv)
{
	unsigned int nr = guest_number(argc, argv, 1, 5);
	pthread_t thread[GUEST_MAX_THREADS], looker;

	if (nr > GUEST_MAX_THREADS)
		return 99;
	for (unsigned int i = 0; i < nr; i++)
		thread[i] = guest_start(set, NULL);
	looker = guest_start(look, NULL);
	for (unsigned int i = 0; i < nr; i++)
		guest_join(thread[i]);
	guest_join(looker);
	return guest_ok();
}
