/* SPDX-License-Identifier: MIT */
/*
 * partial_deadlock.c - ends with a lock held; another waits as main exits
 */
#include <semaphore.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t stop_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t saved;
static int should_stop, nr_saved;

static void *save(void *arg)
{
	int stop;

	pthread_mutex_lock(&lock);
	pthread_mutex_lock(&stop_lock);
	stop = should_stop;
	pthread_mutex_unlock(&stop_lock);
	sem_post(&saved);
	if (stop)
		return arg;	/* and the lock stays locked */
	nr_saved++;
	pthread_mutex_unlock(&lock);
	return arg;
}

static void *save_more(void *arg)
{
	pthread_mutex_lock(&lock);
	nr_saved++;
	pthread_mutex_unlock(&lock);
	return arg;
}

static void *ask_to_stop(void *arg)
{
	guest_compute();
	pthread_mutex_lock(&stop_lock);
	should_stop = 1;
	pthread_mutex_unlock(&stop_lock);
	return arg;
}

int main(void)
{
	pthread_t t;

	sem_init(&saved, 0, 0);
	pthread_detach(guest_start(save, NULL));
	t = guest_start(ask_to_stop, NULL);
	pthread_detach(guest_start(save_more, NULL));
	guest_join(t);
	sem_wait(&saved);
	return guest_ok();
}
