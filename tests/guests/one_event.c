/* SPDX-License-Identifier: MIT */
/*
 * Two threads see that a descriptor is readable, and both read; there is one
 * event, so one of them waits for ever. Or all wait while timers go on and on
 * that nobody looks at ("vain").
 */
#include "guest.h"

#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>

static int fd;

static void *take(void *arg)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char bytes[sizeof(struct signalfd_siginfo)];

	if (poll(&p, 1, 100000) == 1)
		(void)!read(fd, bytes, sizeof(bytes));
	return arg;
}

static void open_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, 0);
	kill(getpid(), SIGUSR1);
}

static void open_timer(long interval_ns)
{
	struct itimerspec it = { { 0, interval_ns }, { 0, 1000000 } };

	fd = timerfd_create(CLOCK_MONOTONIC, 0);
	timerfd_settime(fd, 0, &it, NULL);
}

static void wait_in_vain(void)
{
	struct itimerval it = { { 0, 1000 }, { 0, 1000 } };
	sigset_t set;
	sem_t s;

	sigemptyset(&set);
	sigaddset(&set, SIGVTALRM);
	sigaddset(&set, SIGPROF);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGALRM, SIG_IGN);
	setitimer(ITIMER_REAL, &it, NULL);
	setitimer(ITIMER_VIRTUAL, &it, NULL);
	setitimer(ITIMER_PROF, &it, NULL);
	sem_init(&s, 0, 0);
	while (sem_wait(&s))
		continue;
}

static void *idle(void *arg)
{
	return arg;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "signal";

	if (!strcmp(what, "vain")) {
		open_timer(1000000);
		guest_join(guest_start(idle, NULL));
		wait_in_vain();
	}
	if (!strcmp(what, "signal"))
		open_signal();
	else
		open_timer(0);
	guest_run(2, take);
	return guest_ok();
}
