/* SPDX-License-Identifier: MIT */
/*
 * ok_alarm.c - a timer that expires before a wait ends interrupts it: correct
 *
 * Each row waits in another way for longer than its timer takes. Most waits
 * fail with EINTR; what a handler with SA_RESTART lets begin again ends
 * because the handler does what was waited for.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

static volatile sig_atomic_t nr_handled;
static int ends[2];
static sem_t sem;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void count(int sig)
{
	(void)sig;
	nr_handled = nr_handled + 1;
}

static void feed(int sig)
{
	(void)sig;
	nr_handled = nr_handled + 1;
	assert(write(ends[1], "x", 1) == 1);
	assert(!sem_post(&sem));
}

static void handle(void (*handler)(int), int flags)
{
	struct sigaction a;

	memset(&a, 0, sizeof(a));
	a.sa_handler = handler;
	a.sa_flags = flags;
	assert(!sigaction(SIGALRM, &a, NULL));
	nr_handled = 0;
}

/* The timer of 20 ms comes before what takes 10 s. */
static void arm(void)
{
	const struct itimerval soon = { .it_value = { 0, 20000 } };

	assert(!setitimer(ITIMER_REAL, &soon, NULL));
}

static void expect_interrupted(int result)
{
	assert(result == -1 && errno == EINTR && nr_handled == 1);
}

static void wait_in_calls(int flags)
{
	struct timespec ten = { 10, 0 }, left = { 0, 0 };
	struct timeval ten_s = { 10, 0 };
	struct pollfd p = { .fd = ends[0], .events = POLLIN };
	struct epoll_event event;
	int fd = epoll_create1(0);
	fd_set set;

	handle(count, flags);
	arm();
	expect_interrupted(nanosleep(&ten, &left));
	assert(left.tv_sec > 0 && left.tv_sec < 10);
	handle(count, flags);
	arm();
	assert(clock_nanosleep(CLOCK_MONOTONIC, 0, &ten, &left) == EINTR);
	handle(count, flags);
	arm();
	expect_interrupted(pause());
	handle(count, flags);
	arm();
	expect_interrupted(poll(&p, 1, 10000));
	handle(count, flags);
	arm();
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	expect_interrupted(select(ends[0] + 1, &set, NULL, NULL, &ten_s));
	handle(count, flags);
	arm();
	expect_interrupted(epoll_wait(fd, &event, 1, -1));
	close(fd);
	handle(count, 0);
	alarm(1);
	assert(sleep(10) > 0 && nr_handled == 1);
}

static void wait_for_signals(void)
{
	sigset_t set, old;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	handle(count, 0);
	assert(!sigprocmask(SIG_BLOCK, &set, &old));
	arm();
	expect_interrupted(sigsuspend(&old));
	arm();
	assert(!sigwait(&set, &sig) && sig == SIGALRM && nr_handled == 1);
	arm();
	assert(sigtimedwait(&set, NULL, &(struct timespec){ 10, 0 }) ==
	       SIGALRM);
	assert(!sigprocmask(SIG_SETMASK, &old, NULL));
}

/* Calls that begin again; what the handler did lets them end. */
static void wait_restarted(void)
{
	char c;

	handle(feed, SA_RESTART);
	arm();
	assert(read(ends[0], &c, 1) == 1 && c == 'x' && nr_handled == 1);
	assert(!sem_wait(&sem));
	arm();
	assert(!sem_wait(&sem));
	assert(read(ends[0], &c, 1) == 1 && nr_handled == 2);
	handle(count, 0);
	arm();
	expect_interrupted((int)read(ends[0], &c, 1));
	handle(count, 0);
	arm();
	expect_interrupted(sem_wait(&sem));
}

/* No handler ends this wait; it goes on to its own end. */
static void wait_on(void)
{
	struct timespec end;

	handle(count, 0);
	arm();
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 10;
	pthread_mutex_lock(&mutex);
	while (!pthread_cond_timedwait(&cond, &mutex, &end))
		;
	pthread_mutex_unlock(&mutex);
	assert(nr_handled == 1);
}

static void *wait_aside(void *arg)
{
	struct timespec second = { 1, 0 };
	sigset_t set;

	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	assert(!nanosleep(&second, NULL));
	return arg;
}

int main(void)
{
	pthread_t t;

	assert(!pipe(ends));
	sem_init(&sem, 0, 0);
	wait_in_calls(0);
	wait_in_calls(SA_RESTART);
	wait_for_signals();
	wait_restarted();
	wait_on();
	t = guest_start(wait_aside, NULL);
	wait_in_calls(0);
	guest_join(t);
	return guest_ok();
}
