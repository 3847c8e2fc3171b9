/* SPDX-License-Identifier: MIT */
/*
 * barrier_count.c - a third thread comes to a barrier made for two
 */
#include "guest.h"

static pthread_barrier_t barrier;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int is_busy;

static void *phase(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	is_busy++;
	pthread_mutex_unlock(&lock);
	pthread_barrier_wait(&barrier);
	pthread_mutex_lock(&lock);
	is_busy--;
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* Helps out when there is work, and then waits for it to be complete. */
static void *help(void *arg)
{
	int busy;

	(void)arg;
	pthread_mutex_lock(&lock);
	busy = is_busy;
	pthread_mutex_unlock(&lock);
	if (busy)
		pthread_barrier_wait(&barrier);
	return NULL;
}

int main(void)
{
	pthread_t t, u, v;

	pthread_barrier_init(&barrier, NULL, 2);
	v = guest_start(help, NULL);
	t = guest_start(phase, NULL);
	u = guest_start(phase, NULL);
	guest_join(v);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
