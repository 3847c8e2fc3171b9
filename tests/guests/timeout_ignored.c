/* SPDX-License-Identifier: MIT */
/*
 * timeout_ignored.c - a timed wait that ran out is taken for an answer
 */
#include <assert.h>
#include <time.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static int answer;

static void *compute(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	answer = 42;
	pthread_cond_signal(&ready);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	struct timespec end;
	pthread_t t;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_nsec += 50 * 1000 * 1000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_nsec -= 1000000000;
		end.tv_sec++;
	}
	t = guest_start(compute, NULL);
	pthread_mutex_lock(&lock);
	if (!answer)
		pthread_cond_timedwait(&ready, &lock, &end);
	assert(answer == 42);
	pthread_mutex_unlock(&lock);
	guest_join(t);
	return guest_ok();
}
