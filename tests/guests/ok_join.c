/* SPDX-License-Identifier: MIT */
/*
 * ok_join.c - results, timed and polite joins, names, equality: correct
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t self_of[3];

static void *leave(void *arg)
{
	pthread_exit(arg);
}

static void *work(void *arg)
{
	uintptr_t me = (uintptr_t)arg;
	char name[16];

	snprintf(name, sizeof(name), "worker-%d", (int)me);
	assert(!pthread_setname_np(pthread_self(), name));
	pthread_mutex_lock(&lock);
	self_of[me] = pthread_self();
	pthread_mutex_unlock(&lock);
	assert(!pthread_getname_np(pthread_self(), name, sizeof(name)));
	assert(name[7] == '0' + (char)me);
	return leave((void *)(me + 10));
}

int main(void)
{
	struct timespec end;
	pthread_t thread[3];
	void *result;
	int rc;

	for (uintptr_t i = 0; i < 3; i++)
		thread[i] = guest_start(work, (void *)i);
	rc = pthread_tryjoin_np(thread[0], &result);
	assert(!rc || rc == EBUSY);
	if (rc)
		assert(!pthread_join(thread[0], &result));
	assert(result == (void *)10);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 1;
	rc = pthread_timedjoin_np(thread[1], &result, &end);
	assert(!rc || rc == ETIMEDOUT);
	if (rc)
		assert(!pthread_join(thread[1], &result));
	assert(result == (void *)11);
	assert(!pthread_join(thread[2], &result) && result == (void *)12);
	for (int i = 0; i < 3; i++)
		assert(pthread_equal(thread[i], self_of[i]));
	assert(pthread_join(pthread_self(), NULL) == EDEADLK);
	return guest_ok();
}
