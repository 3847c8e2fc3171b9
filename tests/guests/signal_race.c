/* SPDX-License-Identifier: MIT */
/*
 * signal_race.c - a handler counts in the middle of the main flow counting
 */
#include <assert.h>
#include <semaphore.h>
#include <signal.h>

#include "guest.h"

static sem_t tick;
static volatile sig_atomic_t pending, nr_signals;

static void on_signal(int sig)
{
	(void)sig;
	pending = pending + 1;
	nr_signals = nr_signals + 1;
}

static void *work(void *arg)
{
	int seen;

	(void)arg;
	guest_compute();
	seen = pending;
	sem_post(&tick);	/* the signal may come here */
	pending = seen + 1;
	return NULL;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	pthread_t t;

	sigaction(SIGUSR1, &sa, NULL);
	sem_init(&tick, 0, 0);
	t = guest_start(work, NULL);
	pthread_kill(t, SIGUSR1);	/* most likely before it starts */
	guest_join(t);
	assert(pending == 1 + nr_signals);
	return guest_ok();
}
