/* SPDX-License-Identifier: MIT */
/*
 * sem_order.c - the semaphore is posted before what it announces is there
 */
#include <assert.h>
#include <semaphore.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t filled;
static int box;

static void *produce(void *arg)
{
	(void)arg;
	sem_post(&filled);
	pthread_mutex_lock(&lock);
	box = 7;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *consume(void *arg)
{
	(void)arg;
	sem_wait(&filled);
	pthread_mutex_lock(&lock);
	assert(box == 7);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t, u;

	sem_init(&filled, 0, 0);
	t = guest_start(produce, NULL);
	u = guest_start(consume, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
