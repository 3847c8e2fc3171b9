/* SPDX-License-Identifier: MIT */
/*
 * held_back.c - looks eight times at what nobody changes meanwhile, then tells
 *
 * A loop that does not wait: it counts. The late one fails when the whole loop
 * was over before it began, which no look of the loop may be taken to prevent.
 * Argument 1: how the loop looks.
 */
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include "guest.h"

static volatile int go, shared;
static atomic_int at_go, at_shared;
static volatile double weight;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static sem_t sem;
static const char *how;

static int look(int i)
{
	int expected = 7 + i;

	if (!strcmp(how, "plain"))
		return shared;
	if (!strcmp(how, "load"))
		return atomic_load(&at_shared);
	if (!strcmp(how, "add"))
		return atomic_fetch_add(&at_shared, 0);
	if (!strcmp(how, "compare"))
		return atomic_compare_exchange_strong(&at_shared, &expected,
						      expected);
	if (!strcmp(how, "exchange"))
		return atomic_exchange(&at_shared, 0);
	if (!strcmp(how, "mutex"))
		return pthread_mutex_trylock(&lock);
	if (!strcmp(how, "rwlock"))
		return pthread_rwlock_trywrlock(&rwlock);
	if (!strcmp(how, "spinlock"))
		return pthread_spin_trylock(&spin);
	return sem_trywait(&sem);
}

/* Nothing but a vector register counts. */
static void look_by_weight(void)
{
	double sum = 0;

	do
		sum += weight;
	while (sum < 8);
}

static void *early(void *arg)
{
	int sum = 0;

	if (!strcmp(how, "weight"))
		look_by_weight();
	else
		for (int i = 0; i < 8; i++)
			sum += look(i);
	atomic_store(&at_go, 1);
	go = 1;
	return sum ? NULL : arg;
}

static void *late(void *arg)
{
	int is_over = go + atomic_load(&at_go);

	shared = 0;
	weight = 1;
	atomic_store(&at_shared, 0);
	if (is_over)
		abort();
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	how = argc > 1 ? argv[1] : "plain";
	weight = 1;
	pthread_spin_init(&spin, 0);
	sem_init(&sem, 0, 0);
	pthread_mutex_lock(&lock);
	pthread_rwlock_rdlock(&rwlock);
	pthread_spin_lock(&spin);
	thread = guest_start(late, NULL);
	early(NULL);
	guest_join(thread);
	return guest_ok();
}
