/* SPDX-License-Identifier: MIT */
/*
 * if_not_while.c - a woken consumer does not look again if there is an item
 */
#include <assert.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int items;

static void *consume(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	if (!items)
		pthread_cond_wait(&filled, &lock);
	assert(items > 0);
	items--;
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* Takes an item if there is one; never waits. */
static void *scavenge(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	if (items) {
		items--;
		/* Put back what the other one needs. */
		pthread_mutex_unlock(&lock);
		pthread_mutex_lock(&lock);
		items++;
		pthread_cond_signal(&filled);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(consume, NULL);
	pthread_t u = guest_start(scavenge, NULL);

	pthread_mutex_lock(&lock);
	items++;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&lock);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
