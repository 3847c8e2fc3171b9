/* SPDX-License-Identifier: MIT */
/*
 * tsd_order.c - a destructor of thread data uses what main has torn down
 */
#include <assert.h>

#include "guest.h"

static pthread_key_t key;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
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
	return arg;
}

static void *compute_long(void *arg)
{
	guest_compute();
	return arg;
}

int main(void)
{
	pthread_t t;

	pthread_key_create(&key, flush);
	t = guest_start(work, NULL);
	guest_join(guest_start(compute_long, NULL));
	pthread_mutex_lock(&lock);
	is_up = 0;
	pthread_mutex_unlock(&lock);
	guest_join(t);
	return nr_flushed == 1 ? guest_ok() : 1;
}
