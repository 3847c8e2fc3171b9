/* SPDX-License-Identifier: MIT */
/*
 * ok_timed.c - timed waits of every kind, run out or not: correct
 */
#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <time.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t changed;
static sem_t sem;
static int value;

/* The time `ms` from now. */
static struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void *hold(void *arg)
{
	(void)arg;
	pthread_rwlock_wrlock(&rwlock);
	pthread_mutex_lock(&lock);
	value = 1;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	pthread_rwlock_unlock(&rwlock);
	sem_post(&sem);
	return NULL;
}

static void wait_cond(void)
{
	struct timespec end = in_ms(CLOCK_MONOTONIC, 5);
	int rc = 0;

	pthread_mutex_lock(&lock);
	while (!value && !rc)
		rc = pthread_cond_timedwait(&changed, &lock, &end);
	assert(!rc || rc == ETIMEDOUT);
	assert(rc || value);
	while (!value)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void wait_locks(void)
{
	struct timespec end = in_ms(CLOCK_REALTIME, 5);
	int rc;

	rc = pthread_mutex_timedlock(&lock, &end);
	assert(!rc || rc == ETIMEDOUT);
	if (!rc)
		pthread_mutex_unlock(&lock);
	rc = pthread_rwlock_timedrdlock(&rwlock, &end);
	assert(!rc || rc == ETIMEDOUT);
	if (!rc)
		pthread_rwlock_unlock(&rwlock);
	rc = pthread_rwlock_timedwrlock(&rwlock, &end);
	assert(!rc || rc == ETIMEDOUT);
	if (!rc)
		pthread_rwlock_unlock(&rwlock);
}

static void wait_sem(void)
{
	struct timespec end = in_ms(CLOCK_REALTIME, 5);
	struct timespec past = { 1, 0 };
	int rc;

	while ((rc = sem_timedwait(&sem, &end)) && errno == EINTR)
		continue;
	assert(!rc || errno == ETIMEDOUT);
	if (rc)
		sem_wait(&sem);
	/* The value is 0 now, and for good. */
	assert(sem_timedwait(&sem, &past) == -1 && errno == ETIMEDOUT);
	end = in_ms(CLOCK_REALTIME, 5);
	assert(sem_timedwait(&sem, &end) == -1 && errno == ETIMEDOUT);
}

int main(void)
{
	pthread_condattr_t attr;
	pthread_t t;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &attr);
	sem_init(&sem, 0, 0);
	t = guest_start(hold, NULL);
	wait_locks();
	wait_cond();
	wait_sem();
	guest_join(t);
	return guest_ok();
}
