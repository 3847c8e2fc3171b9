/* SPDX-License-Identifier: MIT */
/*
 * tsd_order.c - a destructor of thread data uses what main has torn down
 */
#include <assert.h>
#include <semaphore.h>

#include "guest.h"

static pthread_key_t key;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t done;
static int is_up = 1, nr_flushed;

static void flush(void *data)
{
	(void)data;
	pthread_mutex_lock(&lock);
	assert(is_up);
	nr_flushed++;
	pthread_mutex_unlock(&lock);
}

static void *work(void *arg)
{
	pthread_setspecific(key, &key);
	sem_post(&done);	/* not yet: its data are still there */
	return arg;
}

int main(void)
{
	pthread_t t;

	pthread_key_create(&key, flush);
	sem_init(&done, 0, 0);
	t = guest_start(work, NULL);
	sem_wait(&done);
	guest_compute();
	pthread_mutex_lock(&lock);
	is_up = 0;
	pthread_mutex_unlock(&lock);
	guest_join(t);
	return nr_flushed == 1 ? guest_ok() : 1;
}
