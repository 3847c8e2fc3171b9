/* SPDX-License-Identifier: MIT */
/*
 * ok_queue.c - a bounded queue with a condition for each side: correct
 */
#include <assert.h>

#include "guest.h"

#define CAPACITY 2
#define NR_ITEMS 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static int ring[CAPACITY], head, count, sum;

static void put(int item)
{
	pthread_mutex_lock(&lock);
	while (count == CAPACITY)
		pthread_cond_wait(&not_full, &lock);
	ring[(head + count++) % CAPACITY] = item;
	pthread_cond_signal(&not_empty);
	pthread_mutex_unlock(&lock);
}

static int get(void)
{
	int item;

	pthread_mutex_lock(&lock);
	while (!count)
		pthread_cond_wait(&not_empty, &lock);
	item = ring[head];
	head = (head + 1) % CAPACITY;
	count--;
	pthread_cond_signal(&not_full);
	pthread_mutex_unlock(&lock);
	return item;
}

static void *produce(void *arg)
{
	(void)arg;
	for (int i = 1; i <= NR_ITEMS; i++)
		put(i);
	return NULL;
}

static void *consume(void *arg)
{
	int mine = 0;

	(void)arg;
	for (int i = 0; i < NR_ITEMS; i++)
		mine += get();
	pthread_mutex_lock(&lock);
	sum += mine;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		thread[i] = guest_start(i % 2 ? produce : consume, NULL);
	for (int i = 0; i < 4; i++)
		guest_join(thread[i]);
	assert(sum == NR_ITEMS * (NR_ITEMS + 1));
	return guest_ok();
}
