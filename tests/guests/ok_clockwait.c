/* SPDX-License-Identifier: MIT */
/*
 * ok_clockwait.c - waits against a clock that is named in the call: correct
 */
#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <time.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static int value;

static struct timespec soon(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += 3000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void *change(void *arg)
{
	pthread_rwlock_wrlock(&rwlock);
	pthread_mutex_lock(&lock);
	value = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	pthread_rwlock_unlock(&rwlock);
	sem_post(&sem);
	return arg;
}

static void use(clockid_t clock)
{
	struct timespec end = soon(clock);
	int rc;

	rc = pthread_mutex_clocklock(&lock, clock, &end);
	assert(!rc || rc == ETIMEDOUT);
	if (rc)
		pthread_mutex_lock(&lock);
	rc = 0;
	while (!value && !rc)
		rc = pthread_cond_clockwait(&changed, &lock, clock, &end);
	assert(!rc || rc == ETIMEDOUT);
	pthread_mutex_unlock(&lock);

	rc = pthread_rwlock_clockrdlock(&rwlock, clock, &end);
	assert(!rc || rc == ETIMEDOUT);
	if (!rc)
		pthread_rwlock_unlock(&rwlock);
	rc = pthread_rwlock_clockwrlock(&rwlock, clock, &end);
	assert(!rc || rc == ETIMEDOUT);
	if (!rc)
		pthread_rwlock_unlock(&rwlock);
	rc = sem_clockwait(&sem, clock, &end);
	assert(!rc || errno == ETIMEDOUT);
	end.tv_nsec = 1000000000;
	assert(pthread_mutex_clocklock(&lock, 77, &end) == EINVAL);
}

static void *use_monotonic(void *arg)
{
	use(CLOCK_MONOTONIC);
	return arg;
}

static void *use_realtime(void *arg)
{
	use(CLOCK_REALTIME);
	return arg;
}

int main(void)
{
	pthread_t t, u, v;

	sem_init(&sem, 0, 0);
	t = guest_start(use_monotonic, NULL);
	u = guest_start(use_realtime, NULL);
	v = guest_start(change, NULL);
	guest_join(t);
	guest_join(u);
	guest_join(v);
	return guest_ok();
}
