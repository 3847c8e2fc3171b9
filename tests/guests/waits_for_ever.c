/* SPDX-License-Identifier: MIT */
/*
 * waits_for_ever.c - loops that only others could end, and nobody does
 *
 * Argument 1: how each thread waits; 2: how many threads do.
 */
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include "guest.h"

static volatile int plain, table[20];
static atomic_int at, flag[2];
static int guarded;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static sem_t sem;

static void wait_load(uintptr_t me)
{
	(void)me;
	while (atomic_load(&at) != 42)
		continue;
}

static void wait_plain(uintptr_t me)
{
	(void)me;
	while (plain != 42)
		continue;
}

static void wait_compare(uintptr_t me)
{
	int expected;

	(void)me;
	do
		expected = 1;
	while (!atomic_compare_exchange_strong(&at, &expected, 2));
}

static void wait_exchange(uintptr_t me)
{
	(void)me;
	while (!atomic_exchange(&at, 0))
		continue;
}

static void wait_trylock(uintptr_t me)
{
	(void)me;
	while (pthread_mutex_trylock(&held))
		continue;
}

static void wait_trylock_yield(uintptr_t me)
{
	(void)me;
	while (pthread_mutex_trylock(&held))
		sched_yield();
}

static void wait_spinlock(uintptr_t me)
{
	(void)me;
	while (pthread_spin_trylock(&spin))
		continue;
}

static void wait_rwlock(uintptr_t me)
{
	(void)me;
	while (pthread_rwlock_trywrlock(&rwlock))
		continue;
}

static void wait_sem(uintptr_t me)
{
	(void)me;
	while (sem_trywait(&sem))
		continue;
}

static void wait_yield(uintptr_t me)
{
	(void)me;
	for (;;)
		sched_yield();
}

static void wait_load_yield(uintptr_t me)
{
	(void)me;
	while (!atomic_load(&at))
		sched_yield();
}

static void wait_nothing(uintptr_t me)
{
	(void)me;
	for (;;)
		__asm__ volatile("pause");
}

static void wait_locked(uintptr_t me)
{
	int value;

	(void)me;
	do {
		pthread_mutex_lock(&lock);
		value = guarded;
		pthread_mutex_unlock(&lock);
		sched_yield();
	} while (!value);
}

static void wait_other(uintptr_t me)
{
	while (!atomic_load(&flag[me & 1]))
		continue;
	atomic_store(&flag[!(me & 1)], 1);
}

static void wait_two(uintptr_t me)
{
	(void)me;
	while (!atomic_load(&at) && !plain)
		continue;
}

/* More places than the runtime keeps in mind; the counter is in memory. */
static void wait_table(uintptr_t me)
{
	volatile int i;

	(void)me;
	do {
		for (i = 0; i < 20 && !table[i]; i++)
			continue;
	} while (i == 20);
}

static int is_free(volatile int *i, int me)
{
	for (*i = 0; *i < 20; (*i)++)
		if (*i != me && table[*i])
			return 0;
	return 1;
}

/* Each wants it, and waits until nobody else does. */
static void wait_free(uintptr_t me)
{
	volatile int i;

	table[me] = 1;
	table[10] = 1;
	while (!is_free(&i, (int)me))
		continue;
}

static const struct {
	const char *name;
	void (*wait)(uintptr_t me);
} ways[] = {
	{ "load", wait_load },
	{ "plain", wait_plain },
	{ "compare", wait_compare },
	{ "exchange", wait_exchange },
	{ "trylock", wait_trylock },
	{ "trylock-yield", wait_trylock_yield },
	{ "spinlock", wait_spinlock },
	{ "rwlock", wait_rwlock },
	{ "sem", wait_sem },
	{ "yield", wait_yield },
	{ "load-yield", wait_load_yield },
	{ "nothing", wait_nothing },
	{ "locked", wait_locked },
	{ "other", wait_other },
	{ "two", wait_two },
	{ "table", wait_table },
	{ "free", wait_free },
};

static const char *way;

static void *wait_by_name(void *arg)
{
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(way, ways[i].name))
			ways[i].wait((uintptr_t)arg);
	return NULL;
}

int main(int argc, char **argv)
{
	way = argc > 1 ? argv[1] : "load";
	pthread_spin_init(&spin, 0);
	sem_init(&sem, 0, 0);
	pthread_mutex_lock(&held);
	pthread_rwlock_rdlock(&rwlock);
	pthread_spin_lock(&spin);
	guest_run(guest_number(argc, argv, 2, 1), wait_by_name);
	return guest_ok();
}
