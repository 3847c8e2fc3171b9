/* SPDX-License-Identifier: MIT */
/*
 * Threads that constructors start, before main: "ok", they hand over to main in
 * order; "lost", two of them count without a lock; "c11", made by thrd_create;
 * "raw", in a program that has already run a child; "join", joined before main.
 */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t first, second;
static thrd_t third;
static int n, is_ready;
static const char *how;

static void *hands_over(void *arg)
{
	pthread_mutex_lock(&lock);
	is_ready = 1;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	return arg;
}

static void *counts(void *arg)
{
	int seen;

	pthread_mutex_lock(&lock);
	seen = n;
	pthread_mutex_unlock(&lock);
	pthread_mutex_lock(&lock);
	n = seen + 1;
	pthread_mutex_unlock(&lock);
	return arg;
}

static int counts_c11(void *arg)
{
	counts(arg);
	return 3;
}

static void run_child(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(system("exit 2") != 2 << 8);
	assert(waitpid(pid, &status, 0) == pid && !status);
}

/* A helper thread of the C library takes the signals of such timers. */
static void wake(union sigval value)
{
	hands_over(value.sival_ptr);
}

static void make_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD,
				  .sigev_notify_function = wake };
	struct itimerspec soon = { { 0, 0 }, { 0, 1000000 } };
	timer_t timer;

	assert(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	assert(!timer_settime(timer, 0, &soon, NULL));
}

__attribute__((constructor)) static void start(int argc, char **argv)
{
	how = argc > 1 ? argv[1] : "ok";
	if (!strcmp(how, "child"))
		run_child();
	if (!strcmp(how, "timer")) {
		make_timer();
	} else if (!strcmp(how, "c11")) {
		assert(thrd_create(&third, counts_c11, NULL) == thrd_success);
	} else if (!strcmp(how, "lost")) {
		assert(!pthread_create(&first, NULL, counts, NULL));
		assert(!pthread_create(&second, NULL, counts, NULL));
	} else if (!strcmp(how, "join")) {
		assert(!pthread_create(&first, NULL, counts, NULL));
		assert(!pthread_join(first, NULL));
	} else {
		assert(!pthread_create(&first, NULL, hands_over, NULL));
	}
}

static void wait_ready(void)
{
	pthread_mutex_lock(&lock);
	while (!is_ready)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

int main(void)
{
	int value = 0;

	if (!strcmp(how, "timer")) {
		wait_ready();
	} else if (!strcmp(how, "c11")) {
		assert(thrd_join(third, &value) == thrd_success && value == 3);
		assert(n == 1);
	} else if (!strcmp(how, "lost")) {
		pthread_join(first, NULL);
		pthread_join(second, NULL);
		assert(n == 2);
	} else if (!strcmp(how, "join")) {
		assert(n == 1);
		assert(!pthread_create(&second, NULL, counts, NULL));
		pthread_join(second, NULL);
		assert(n == 2);
	} else {
		wait_ready();
		assert(!pthread_join(first, NULL));
	}
	assert(write(1, "ok\n", 3) == 3);
	return 0;
}
