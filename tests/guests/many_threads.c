/* SPDX-License-Identifier: MIT */
/*
 * Many threads, one or two at a time: joined, or detached and counted. No two of
 * them have the same id. After all of these, two count without holding the lock.
 */
#include <assert.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define NR_THREADS 1100

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t done;
static pid_t seen[NR_THREADS];
static int nr_seen;

static void *count(void *arg)
{
	pthread_mutex_lock(&lock);
	seen[nr_seen++] = gettid();
	pthread_mutex_unlock(&lock);
	if (arg)
		sem_post(&done);
	return arg;
}

static void one_detached(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	assert(!pthread_create(&t, &attr, count, &done));
	sem_wait(&done);
}

static void *count_badly(void *arg)
{
	int n;

	pthread_mutex_lock(&lock);
	n = nr_seen;
	pthread_mutex_unlock(&lock);
	pthread_mutex_lock(&lock);
	nr_seen = n + 1;
	pthread_mutex_unlock(&lock);
	return arg;
}

static int by_number(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	sem_init(&done, 0, 0);
	for (int i = 0; i < NR_THREADS; i++)
		if (argc > 1 && !strcmp(argv[1], "detached"))
			one_detached();
		else
			guest_join(guest_start(count, NULL));
	assert(nr_seen == NR_THREADS);
	qsort(seen, NR_THREADS, sizeof(seen[0]), by_number);
	for (int i = 1; i < NR_THREADS; i++)
		assert(seen[i] != seen[i - 1]);
	t = guest_start(count_badly, NULL);
	u = guest_start(count_badly, NULL);
	guest_join(t);
	guest_join(u);
	assert(nr_seen == NR_THREADS + 2);
	return guest_ok();
}
