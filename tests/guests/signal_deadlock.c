/* SPDX-License-Identifier: MIT */
/*
 * signal_deadlock.c - a handler takes a lock that its thread may hold
 */
#include <signal.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int nr_signals, nr_steps;

static void on_signal(int sig)
{
	(void)sig;
	pthread_mutex_lock(&lock);
	nr_signals++;
	pthread_mutex_unlock(&lock);
}

static void *work(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	nr_steps++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	pthread_t t;

	sigaction(SIGUSR1, &sa, NULL);
	t = guest_start(work, NULL);
	pthread_kill(t, SIGUSR1);
	guest_join(t);
	return nr_signals <= 1 && nr_steps == 1 ? guest_ok() : 1;
}
