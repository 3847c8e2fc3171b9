/* SPDX-License-Identifier: MIT */
/*
 * bounded_queue.c - one condition for full and empty, and a signal for either
 *
 * "good" as argument uses a broadcast, which is correct.
 */
#include <string.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int is_full, is_good;

static void tell(void)
{
	if (is_good)
		pthread_cond_broadcast(&changed);
	else
		pthread_cond_signal(&changed);
}

static void *produce(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	while (is_full)
		pthread_cond_wait(&changed, &lock);
	is_full = 1;
	tell();
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *consume(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	while (!is_full)
		pthread_cond_wait(&changed, &lock);
	is_full = 0;
	tell();
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(int argc, char **argv)
{
	void *(*role[4])(void *) = { consume, produce, consume, produce };
	pthread_t thread[4];

	is_good = argc > 1 && !strcmp(argv[1], "good");
	for (int i = 0; i < 4; i++)
		thread[i] = guest_start(role[i], NULL);
	for (int i = 0; i < 4; i++)
		guest_join(thread[i]);
	return guest_ok();
}
