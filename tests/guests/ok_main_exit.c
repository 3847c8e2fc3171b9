/* SPDX-License-Identifier: MIT */
/*
 * Correct: main ends by pthread_exit(), and another thread waits for it: with
 * join, with a limit, with tryjoin; or main was detached and leaves a robust
 * mutex locked, whose next owner is told.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_t first;
static pthread_mutex_t robust, other;
static pthread_barrier_t held;
static const char *how;

static void check(int good)
{
	if (!good)
		abort();
}

static void finish(void)
{
	check(write(1, "ok\n", 3) == 3);
	exit(0);
}

static void wait_for_main(void)
{
	struct timespec limit;
	void *value = NULL;

	if (!strcmp(how, "join")) {
		check(!pthread_join(first, &value));
	} else if (!strcmp(how, "timed")) {
		clock_gettime(CLOCK_REALTIME, &limit);
		limit.tv_sec += 1000;
		check(!pthread_timedjoin_np(first, &value, &limit));
	} else {
		while (pthread_tryjoin_np(first, &value))
			sched_yield();
	}
	check(value == &first);
}

static void *waiter(void *arg)
{
	wait_for_main();
	finish();
	return arg;
}

static void *heir(void *arg)
{
	pthread_barrier_wait(&held);
	check(pthread_mutex_lock(&robust) == EOWNERDEAD);
	check(!pthread_mutex_consistent(&robust));
	check(!pthread_mutex_unlock(&robust));
	check(pthread_mutex_lock(&other) == EOWNERDEAD);
	check(!pthread_mutex_unlock(&other));
	check(pthread_mutex_lock(&other) == ENOTRECOVERABLE);
	finish();
	return arg;
}

static void be_robust(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&other, &attr);
	pthread_barrier_init(&held, NULL, 2);
}

int main(int argc, char **argv)
{
	pthread_t t;

	how = argc > 1 ? argv[1] : "join";
	first = pthread_self();
	if (strcmp(how, "robust")) {
		pthread_create(&t, NULL, waiter, NULL);
	} else {
		be_robust();
		pthread_create(&t, NULL, heir, NULL);
		check(!pthread_detach(first));
		check(!pthread_mutex_lock(&robust));
		check(!pthread_mutex_lock(&other));
		pthread_barrier_wait(&held);
	}
	pthread_exit(&first);
}
