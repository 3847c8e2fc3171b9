/* SPDX-License-Identifier: MIT */
/*
 * exit_status.c - a failure that shows in the exit status only
 */
#include <semaphore.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t started;
static int answer;

static void *compute(void *arg)
{
	(void)arg;
	sem_post(&started);
	pthread_mutex_lock(&lock);
	answer = 42;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t;
	int seen;

	sem_init(&started, 0, 0);
	t = guest_start(compute, NULL);
	sem_wait(&started);	/* started is not finished */
	guest_compute();
	pthread_mutex_lock(&lock);
	seen = answer;
	pthread_mutex_unlock(&lock);
	guest_join(t);
	if (seen != 42)
		return 3;
	return guest_ok();
}
