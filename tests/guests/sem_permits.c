/* SPDX-License-Identifier: MIT */
/*
 * sem_permits.c - a semaphore used as a lock has one permit too many
 */
#include <assert.h>
#include <semaphore.h>

#include "guest.h"

static sem_t permits;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int total, lines;

static void *add(void *arg)
{
	int seen;

	(void)arg;
	sem_wait(&permits);
	seen = total;
	pthread_mutex_lock(&log_lock);
	lines++;
	pthread_mutex_unlock(&log_lock);
	total = seen + 1;
	sem_post(&permits);
	return NULL;
}

int main(void)
{
	sem_init(&permits, 0, 2);
	guest_run(3, add);
	assert(lines == 3);
	assert(total == 3);
	return guest_ok();
}
