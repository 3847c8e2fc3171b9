/* SPDX-License-Identifier: MIT */
/*
 * missed_signal.c - a signal without a flag is lost when nobody waits yet
 */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;

static void *work(void *arg)
{
	(void)arg;
	guest_compute();
	pthread_mutex_lock(&lock);
	pthread_cond_signal(&done);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t;

	/* The thread has more to do before than main. */
	t = guest_start(work, NULL);
	pthread_mutex_lock(&lock);
	pthread_cond_wait(&done, &lock);
	pthread_mutex_unlock(&lock);
	guest_join(t);
	return guest_ok();
}
