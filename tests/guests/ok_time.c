/* SPDX-License-Identifier: MIT */
/*
 * ok_time.c - clocks never go back, and no sleep is too short: correct
 */
#include <assert.h>
#include <errno.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	assert(!clock_gettime(clock, &t));
	assert(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *sleep_some(void *arg)
{
	long ms = 1 + 2 * (long)(uintptr_t)arg;
	struct timespec t = { 0, ms * 1000000 };
	int64_t before = now_ns(CLOCK_MONOTONIC);

	assert(!nanosleep(&t, NULL));
	assert(now_ns(CLOCK_MONOTONIC) - before >= ms * 1000000);

	before = now_ns(CLOCK_REALTIME);
	usleep((useconds_t)ms * 1000);
	assert(now_ns(CLOCK_REALTIME) - before >= ms * 1000000);

	assert(!clock_gettime(CLOCK_MONOTONIC, &t));
	t.tv_sec++;
	t.tv_nsec = 0;
	assert(!clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
	assert(now_ns(CLOCK_MONOTONIC) >= (int64_t)t.tv_sec * 1000000000);
	return NULL;
}

int main(void)
{
	int64_t before = now_ns(CLOCK_MONOTONIC), after;
	time_t seconds = time(NULL);
	struct timeval tv;

	guest_run(3, sleep_some);
	after = now_ns(CLOCK_MONOTONIC);
	assert(after - before >= 10 * 1000000);
	assert(!gettimeofday(&tv, NULL));
	assert(tv.tv_sec >= seconds && time(NULL) >= tv.tv_sec);
	return guest_ok();
}
