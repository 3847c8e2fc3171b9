/* SPDX-License-Identifier: MIT */
/*
 * stop_flag.c - a worker sees the stop flag before the last item
 *
 * It polls with usleep() or, with the argument "yield", with sched_yield().
 * "good" as second argument looks for items once more, which is correct.
 */
#include <assert.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t stop_lock = PTHREAD_MUTEX_INITIALIZER;
static int items, nr_done, should_stop;
static int is_good, yields;

static int has_to_stop(void)
{
	int stop;

	pthread_mutex_lock(&stop_lock);
	stop = should_stop;
	pthread_mutex_unlock(&stop_lock);
	return stop;
}

static void drain(void)
{
	pthread_mutex_lock(&lock);
	nr_done += items;
	items = 0;
	pthread_mutex_unlock(&lock);
}

static void *work(void *arg)
{
	(void)arg;
	for (;;) {
		drain();
		if (has_to_stop())
			break;
		if (yields)
			sched_yield();
		else
			usleep(100);
	}
	if (is_good)
		drain();
	return NULL;
}

static void put(void)
{
	pthread_mutex_lock(&lock);
	items++;
	pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv)
{
	pthread_t t;

	yields = argc > 1 && !strcmp(argv[1], "yield");
	is_good = argc > 2 && !strcmp(argv[2], "good");
	t = guest_start(work, NULL);
	put();
	put();
	pthread_mutex_lock(&stop_lock);
	should_stop = 1;
	pthread_mutex_unlock(&stop_lock);
	guest_join(t);
	assert(nr_done == 2);
	return guest_ok();
}
