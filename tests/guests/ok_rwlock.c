/* SPDX-License-Identifier: MIT */
/*
 * ok_rwlock.c - readers and writers of a pair that must stay equal: correct
 */
#include <assert.h>
#include <errno.h>

#include "guest.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t seen_lock = PTHREAD_MUTEX_INITIALIZER;
static int left, right, nr_seen;

static void *read_pair(void *arg)
{
	(void)arg;
	pthread_rwlock_rdlock(&lock);
	pthread_mutex_lock(&seen_lock);
	nr_seen++;
	pthread_mutex_unlock(&seen_lock);
	assert(left == right);
	pthread_rwlock_unlock(&lock);

	if (!pthread_rwlock_tryrdlock(&lock)) {
		assert(left == right);
		pthread_rwlock_unlock(&lock);
	}
	return NULL;
}

static void *write_pair(void *arg)
{
	(void)arg;
	pthread_rwlock_wrlock(&lock);
	left++;
	pthread_mutex_lock(&seen_lock);
	pthread_mutex_unlock(&seen_lock);
	right++;
	assert(pthread_rwlock_tryrdlock(&lock) == EBUSY);
	assert(pthread_rwlock_trywrlock(&lock) == EBUSY);
	pthread_rwlock_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		thread[i] = guest_start(i % 2 ? write_pair : read_pair, NULL);
	for (int i = 0; i < 4; i++)
		guest_join(thread[i]);
	assert(left == 2 && right == 2 && nr_seen == 2);
	pthread_rwlock_destroy(&lock);
	return guest_ok();
}
