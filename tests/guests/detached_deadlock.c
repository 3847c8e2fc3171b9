/* SPDX-License-Identifier: MIT */
/*
 * detached_deadlock.c - two detached threads deadlock while main works on
 */
#include <semaphore.h>

#include "guest.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static sem_t served;

static void *forward(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	return NULL;
}

static void *backward(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return NULL;
}

static void *serve(void *arg)
{
	(void)arg;
	for (int i = 0; i < 4; i++)
		sem_post(&served);
	return NULL;
}

int main(void)
{
	sem_init(&served, 0, 0);
	pthread_detach(guest_start(forward, NULL));
	pthread_detach(guest_start(backward, NULL));
	pthread_detach(guest_start(serve, NULL));
	for (int i = 0; i < 4; i++)
		sem_wait(&served);
	return guest_ok();
}
