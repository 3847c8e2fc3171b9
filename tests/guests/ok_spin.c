/* SPDX-License-Identifier: MIT */
/*
 * ok_spin.c - waits for a flag without blocking, in the way of argument 1
 *
 * volatile, atomic, pause, yield, usleep, trylock: all end, if the scheduler is
 * fair to the thread that sets the flag.
 */
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int plain_flag;
static atomic_int flag;
static const char *way;

static void *set(void *arg)
{
	pthread_mutex_lock(&lock);
	plain_flag = 1;
	flag = 1;
	pthread_mutex_unlock(&lock);
	return arg;
}

static int try_flag(void)
{
	int seen = 0;

	if (!pthread_mutex_trylock(&lock)) {
		seen = plain_flag;
		pthread_mutex_unlock(&lock);
	}
	return seen;
}

static void *wait_for_it(void *arg)
{
	if (!strcmp(way, "volatile"))
		while (!plain_flag)
			continue;
	else if (!strcmp(way, "pause"))
		while (!flag)
			__builtin_ia32_pause();
	else if (!strcmp(way, "yield"))
		while (!flag)
			sched_yield();
	else if (!strcmp(way, "usleep"))
		while (!flag)
			usleep(10);
	else if (!strcmp(way, "trylock"))
		while (!try_flag())
			continue;
	else
		while (!atomic_load_explicit(&flag, memory_order_acquire))
			continue;
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t, u, v;

	way = argc > 1 ? argv[1] : "atomic";
	t = guest_start(wait_for_it, NULL);
	u = guest_start(wait_for_it, NULL);
	v = guest_start(set, NULL);
	guest_join(t);
	guest_join(u);
	guest_join(v);
	return guest_ok();
}
