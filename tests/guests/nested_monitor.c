/* SPDX-License-Identifier: MIT */
/*
 * nested_monitor.c - waits inside one lock while it holds another
 */
#include "guest.h"

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int items;

static void *get(void *arg)
{
	(void)arg;
	guest_compute();
	pthread_mutex_lock(&outer);
	pthread_mutex_lock(&inner);
	while (!items)
		pthread_cond_wait(&filled, &inner);	/* outer stays held */
	items--;
	pthread_mutex_unlock(&inner);
	pthread_mutex_unlock(&outer);
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(get, NULL);

	pthread_mutex_lock(&outer);
	pthread_mutex_lock(&inner);
	items++;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&inner);
	pthread_mutex_unlock(&outer);
	guest_join(t);
	return guest_ok();
}
