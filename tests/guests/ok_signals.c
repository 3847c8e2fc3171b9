/* SPDX-License-Identifier: MIT */
/*
 * ok_signals.c - signals to threads, masks, sigwait and EINTR: correct
 */
#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include "guest.h"

static sem_t handled, never;
static pthread_t receiver;
static volatile sig_atomic_t nr_handled, was_receiver;

static void on_usr1(int sig)
{
	int saved = errno;

	(void)sig;
	nr_handled = nr_handled + 1;
	was_receiver = pthread_equal(pthread_self(), receiver);
	sem_post(&handled);
	errno = saved;
}

static void *receive(void *arg)
{
	(void)arg;
	while (!nr_handled)
		if (sem_wait(&never))
			assert(errno == EINTR);
	return NULL;
}

/* SIGUSR2 is blocked everywhere: this one takes it. */
static void *wait_for_usr2(void *arg)
{
	sigset_t set;
	int sig;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	assert(!sigwait(&set, &sig) && sig == SIGUSR2);
	return NULL;
}

static void block(int sig)
{
	sigset_t set, now;

	sigemptyset(&set);
	sigaddset(&set, sig);
	assert(!pthread_sigmask(SIG_BLOCK, &set, NULL));
	assert(!pthread_sigmask(SIG_BLOCK, NULL, &now));
	assert(sigismember(&now, sig) == 1);
}

static void raise_blocked(void)
{
	sigset_t pending;

	raise(SIGUSR2);
	sigpending(&pending);
	assert(sigismember(&pending, SIGUSR2) == 1);
	wait_for_usr2(NULL);
	sigpending(&pending);
	assert(sigismember(&pending, SIGUSR2) == 0);
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	pthread_t u;

	sem_init(&handled, 0, 0);
	sem_init(&never, 0, 0);
	block(SIGUSR2);
	assert(!sigaction(SIGUSR1, &sa, NULL));
	receiver = guest_start(receive, NULL);
	u = guest_start(wait_for_usr2, NULL);
	assert(!pthread_kill(receiver, SIGUSR1));
	assert(!pthread_kill(u, SIGUSR2));
	while (sem_wait(&handled))
		assert(errno == EINTR);
	/* It may have come between the look and the wait. */
	sem_post(&never);
	guest_join(receiver);
	guest_join(u);
	assert(nr_handled == 1 && was_receiver);
	raise_blocked();
	return guest_ok();
}
