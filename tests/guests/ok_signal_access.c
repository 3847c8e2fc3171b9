/* SPDX-License-Identifier: MIT */
/*
 * A signal comes when its thread is about to read a flag, or to take a lock made of
 * an atomic exchange. The access is made when the handler has run: what others did
 * meanwhile is seen, and comes before it.
 */
#include "guest.h"

#include <assert.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

static _Atomic int flag, lock;
static int data, counted;

static void on_signal(int sig)
{
	(void)sig;
	for (int i = 0; i < 4; i++)
		sched_yield();
}

static void count(void)
{
	while (atomic_exchange(&lock, 1))
		sched_yield();
	counted++;
	atomic_store(&lock, 0);
}

static void *look(void *arg)
{
	for (int i = 0; i < 3; i++)
		if (atomic_load(&flag))
			assert(data == 1);
	count();
	count();
	while (!atomic_load(&flag))
		sched_yield();
	return arg;
}

int main(void)
{
	pthread_t t;

	signal(SIGUSR1, on_signal);
	t = guest_start(look, NULL);
	pthread_kill(t, SIGUSR1);
	count();
	data = 1;
	atomic_store(&flag, 1);
	guest_join(t);
	assert(counted == 3);
	return guest_ok();
}
