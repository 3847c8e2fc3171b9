/* SPDX-License-Identifier: MIT */
/*
 * close_queue.c - closing a queue wakes one of the two that wait for items
 */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int items, is_closed;

static void *consume(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	while (!items && !is_closed)
		pthread_cond_wait(&changed, &lock);
	if (items)
		items--;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(consume, NULL);
	pthread_t u = guest_start(consume, NULL);

	pthread_mutex_lock(&lock);
	is_closed = 1;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
