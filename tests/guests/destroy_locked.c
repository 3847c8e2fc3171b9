/* SPDX-License-Identifier: MIT */
/*
 * destroy_locked.c - main destroys the lock as soon as the work is counted
 */
#include <semaphore.h>

#include "guest.h"

static pthread_mutex_t lock;
static sem_t finished;

static void *work(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	sem_post(&finished);
	pthread_mutex_unlock(&lock);	/* too late, maybe */
	return NULL;
}

int main(void)
{
	pthread_t t;

	pthread_mutex_init(&lock, NULL);
	sem_init(&finished, 0, 0);
	t = guest_start(work, NULL);
	sem_wait(&finished);
	pthread_mutex_destroy(&lock);
	guest_join(t);
	return guest_ok();
}
