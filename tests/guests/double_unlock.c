/* SPDX-License-Identifier: MIT */
/*
 * double_unlock.c - the path for a closed queue unlocks, and so does its caller
 */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int is_closed, nr_put;

static int put_locked(void)
{
	if (is_closed) {
		pthread_mutex_unlock(&lock);
		return -1;
	}
	nr_put++;
	return 0;
}

static void *produce(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2; i++) {
		pthread_mutex_lock(&lock);
		put_locked();
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(produce, NULL);
	pthread_t u = guest_start(produce, NULL);

	guest_join(t);
	pthread_mutex_lock(&lock);
	is_closed = 1;
	pthread_mutex_unlock(&lock);
	guest_join(u);
	return guest_ok();
}
