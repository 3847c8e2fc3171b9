/* SPDX-License-Identifier: MIT */
/*
 * pool_shutdown.c - a pool is told to stop between the check and the wait
 */
#include <stdatomic.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int jobs = 2;
static atomic_int should_stop;

static void *work(void *arg)
{
	(void)arg;
	for (;;) {
		if (should_stop)	/* not under the lock */
			return NULL;
		pthread_mutex_lock(&lock);
		if (jobs)
			jobs--;
		else
			pthread_cond_wait(&changed, &lock);
		pthread_mutex_unlock(&lock);
	}
}

int main(void)
{
	pthread_t t = guest_start(work, NULL);
	pthread_t u = guest_start(work, NULL);

	should_stop = 1;
	pthread_mutex_lock(&lock);
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
