/* SPDX-License-Identifier: MIT */
/*
 * relock.c - the slow path calls a helper that takes the same lock again
 */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int used, limit = 1;

static void grow(void)
{
	pthread_mutex_lock(&lock);
	limit *= 2;
	pthread_mutex_unlock(&lock);
}

static void *use(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	if (used == limit)
		grow();
	used++;
	pthread_mutex_unlock(&lock);

	pthread_mutex_lock(&lock);
	used--;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	guest_run(2, use);
	return guest_ok();
}
