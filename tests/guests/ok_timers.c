/* SPDX-License-Identifier: MIT */
/*
 * ok_timers.c - timers as signals and as descriptors, own signal stacks: correct
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

static volatile sig_atomic_t nr_alarms, was_on_own_stack;
static char signal_stack[65536];

static void on_alarm(int sig)
{
	char here;

	(void)sig;
	nr_alarms = nr_alarms + 1;
	was_on_own_stack = &here >= signal_stack &&
			   &here < signal_stack + sizeof(signal_stack);
}

static void *wait_for_timer(void *arg)
{
	struct itimerspec when = { .it_value.tv_nsec = 2000000 };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t nr;

	assert(fd >= 0);
	assert(!timerfd_settime(fd, 0, &when, NULL));
	assert(read(fd, &nr, sizeof(nr)) == sizeof(nr) && nr >= 1);
	close(fd);
	return arg;
}

static void wait_for_alarm(void)
{
	struct itimerval when = { .it_value.tv_usec = 2000 };
	stack_t stack = { .ss_sp = signal_stack,
			  .ss_size = sizeof(signal_stack) };
	struct sigaction sa = { .sa_handler = on_alarm,
				.sa_flags = SA_ONSTACK };
	sigset_t set, old;

	assert(!sigaltstack(&stack, NULL));
	assert(!sigaction(SIGALRM, &sa, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	assert(!pthread_sigmask(SIG_BLOCK, &set, &old));
	assert(!setitimer(ITIMER_REAL, &when, NULL));
	while (!nr_alarms)
		assert(sigsuspend(&old) == -1 && errno == EINTR);
	assert(nr_alarms == 1 && was_on_own_stack);
}

static void *take_signal(void *arg)
{
	struct timespec limit = { 20, 0 }, none = { 0, 0 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	assert(sigtimedwait(&set, &info, &limit) == SIGRTMIN + 1);
	assert(info.si_value.sival_int == 17);
	assert(sigtimedwait(&set, &info, &none) == -1 && errno == EAGAIN);
	return arg;
}

int main(void)
{
	pthread_t t, u;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	t = guest_start(wait_for_timer, NULL);
	u = guest_start(take_signal, NULL);
	assert(!pthread_sigqueue(u, SIGRTMIN + 1,
				 (union sigval){ .sival_int = 17 }));
	sigdelset(&set, SIGRTMIN + 1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	wait_for_alarm();
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
