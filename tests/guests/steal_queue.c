/* SPDX-License-Identifier: MIT */
/*
 * steal_queue.c - owner and thief take the last item of a work-stealing queue
 */
#include <assert.h>

#include "guest.h"

#define NR_ITEMS 3

static pthread_mutex_t head_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t tail_lock = PTHREAD_MUTEX_INITIALIZER;
static int head, tail = NR_ITEMS;
static int taken[NR_ITEMS];

static int end_of(int *end, pthread_mutex_t *lock)
{
	int value;

	pthread_mutex_lock(lock);
	value = *end;
	pthread_mutex_unlock(lock);
	return value;
}

static void *own(void *arg)
{
	(void)arg;
	for (int i = 0; i < NR_ITEMS; i++) {
		int low = end_of(&head, &head_lock);

		pthread_mutex_lock(&tail_lock);
		if (tail > low)
			taken[--tail]++;
		pthread_mutex_unlock(&tail_lock);
	}
	return NULL;
}

static void *steal(void *arg)
{
	(void)arg;
	for (int i = 0; i < NR_ITEMS; i++) {
		int high = end_of(&tail, &tail_lock);

		pthread_mutex_lock(&head_lock);
		if (head < high)
			taken[head++]++;
		pthread_mutex_unlock(&head_lock);
	}
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(own, NULL);
	pthread_t u = guest_start(steal, NULL);

	guest_join(t);
	guest_join(u);
	for (int i = 0; i < NR_ITEMS; i++)
		assert(taken[i] == 1);
	return guest_ok();
}
