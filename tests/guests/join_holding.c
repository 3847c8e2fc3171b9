/* SPDX-License-Identifier: MIT */
/*
 * join_holding.c - main joins a thread while it holds what the thread needs
 */
#include <semaphore.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t almost;
static int result;

static void *work(void *arg)
{
	(void)arg;
	sem_post(&almost);
	pthread_mutex_lock(&lock);
	result++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t;

	sem_init(&almost, 0, 0);
	t = guest_start(work, NULL);
	sem_wait(&almost);
	guest_compute();
	pthread_mutex_lock(&lock);
	guest_join(t);
	pthread_mutex_unlock(&lock);
	return result == 1 ? guest_ok() : 1;
}
