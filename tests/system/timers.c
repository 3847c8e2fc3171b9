/* SPDX-License-Identifier: MIT */
/* timers.c - clocks, sleeps, alarms, timer_create(2), timerfd_create(2). */
#include "system.h"

#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <time.h>

static volatile sig_atomic_t nr_fired, last_value;

static void fired(int sig)
{
	(void)sig;
	nr_fired++;
}

static void fired_with(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	nr_fired++;
	last_value = info->si_value.sival_int;
}

static void handle(int sig, int flags)
{
	struct sigaction a = { .sa_handler = fired, .sa_flags = flags };

	sigaction(sig, &a, NULL);
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		abort();
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static struct timespec ms(long n)
{
	return (struct timespec){ n / 1000, n % 1000 * 1000000 };
}

/* Clocks move on, and a sleep is as long as asked. */
static void *sleep_20_ms(void *arg)
{
	int64_t begin = now_ns(CLOCK_MONOTONIC);
	struct timespec ts = ms(20);

	(void)arg;
	if (nanosleep(&ts, NULL))
		return (void *)1;
	return (void *)(intptr_t)(now_ns(CLOCK_MONOTONIC) - begin < 20000000);
}

static void sleeps_are_long_enough(void)
{
	pthread_t a = start(sleep_20_ms, NULL), b = start(sleep_20_ms, NULL);

	TELL((long)join(a));
	TELL((long)join(b));
}

/* Errors of clock_gettime(2), clock_nanosleep(2), nanosleep(2). */
static void time_errors(void)
{
	struct timespec bad = { 0, 1000000000 }, good = ms(1), ts;

	TELL(clock_gettime(1000, &ts));
	TELL(clock_getres(1000, &ts));
	TELL(nanosleep(&bad, NULL));
	TELL_ERROR(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL));
	TELL_ERROR(clock_nanosleep(CLOCK_MONOTONIC, 0, &good, NULL));
	TELL_ERROR(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &good, NULL));
	good.tv_sec = -1;
	TELL(nanosleep(&good, NULL));
}

/* An absolute deadline is not met early. */
static void absolute_sleep(void)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME,
					    CLOCK_BOOTTIME };

	for (int i = 0; i < 3; i++) {
		int64_t at = now_ns(clocks[i]) + 15000000;
		struct timespec ts = { at / 1000000000, at % 1000000000 };

		TELL_ERROR(clock_nanosleep(clocks[i], TIMER_ABSTIME, &ts, NULL));
		TELL_TRUE(now_ns(clocks[i]) >= at);
	}
}

/* An alarm ends a sleep, and tells what is left. */
static void sleep_is_interrupted(void)
{
	struct timespec ten = { 10, 0 }, left = { 0 };
	struct itimerval in_20_ms = { .it_value = { 0, 20000 } };

	handle(SIGALRM, SA_RESTART);
	setitimer(ITIMER_REAL, &in_20_ms, NULL);
	TELL(nanosleep(&ten, &left));
	TELL((long)nr_fired);
	TELL_TRUE(left.tv_sec == 9);
	alarm(1);
	TELL_TRUE(sleep(10) >= 8);
	TELL((long)nr_fired);
}

/* alarm(2) returns what was left of the one before. */
static void alarm_returns(void)
{
	TELL((long)alarm(100));
	TELL_TRUE(alarm(50) - 99 <= 1);
	TELL_TRUE(alarm(0) - 49 <= 1);
	TELL((long)alarm(0));
}

/* An interval timer of setitimer(2) fires again and again. */
static void interval_timer(void)
{
	struct itimerval it = { { 0, 5000 }, { 0, 5000 } }, old;

	handle(SIGALRM, 0);
	TELL(setitimer(ITIMER_REAL, &it, NULL));
	while (nr_fired < 4)
		pause();
	memset(&it, 0, sizeof(it));
	TELL(setitimer(ITIMER_REAL, &it, &old));
	TELL((long)old.it_interval.tv_usec);
	TELL(getitimer(ITIMER_REAL, &old));
	TELL_TRUE(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0);
	TELL(setitimer(77, &it, NULL));
}

/* A processor-time timer ends a loop that only computes. */
static void cpu_timer_ends_a_loop(void)
{
	struct itimerval it = { .it_value = { 0, 10000 } };

	handle(SIGVTALRM, 0);
	TELL(setitimer(ITIMER_VIRTUAL, &it, NULL));
	while (!nr_fired)
		continue;
	TELL((long)nr_fired);
}

/* The example of timer_create(2): a signal with a value. */
static void timer_signals(void)
{
	struct sigaction a = { .sa_flags = SA_SIGINFO };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = SIGRTMIN,
			      .sigev_value.sival_int = 42 };
	struct itimerspec it = { .it_value = ms(10) }, now;
	struct timespec second = { 1, 0 };
	timer_t timer;

	a.sa_sigaction = fired_with;
	sigaction(SIGRTMIN, &a, NULL);
	TELL(timer_create(CLOCK_MONOTONIC, &e, &timer));
	TELL(timer_settime(timer, 0, &it, NULL));
	TELL(timer_gettime(timer, &now));
	TELL_TRUE(now.it_value.tv_sec == 0 && now.it_value.tv_nsec > 0);
	TELL(nanosleep(&second, NULL));
	TELL((long)nr_fired);
	TELL((long)last_value);
	TELL(timer_getoverrun(timer));
	TELL(timer_delete(timer));
	TELL(timer_delete(timer));
}

/* A function in a thread of its own. */
static sem_t ran;

static void run_in_thread(union sigval v)
{
	last_value = v.sival_int;
	sem_post(&ran);
}

static void fired_once(int sig)
{
	(void)sig;
	nr_fired++;
}

static void timer_threads(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_THREAD,
			      .sigev_value.sival_int = 7 };
	struct itimerspec it = { .it_value = ms(10) };
	timer_t timer;

	sem_init(&ran, 0, 0);
	e.sigev_notify_function = run_in_thread;
	TELL(timer_create(CLOCK_REALTIME, &e, &timer));
	TELL(timer_settime(timer, 0, &it, NULL));
	TELL(sem_wait(&ran));
	TELL((long)last_value);
	TELL(timer_delete(timer));
}

static void post_ran(union sigval v)
{
	(void)v;
	sem_post(&ran);
}

/* Sleeps that are shorter than what a timeout may come early by (--time-slack). */
static void short_sleeps(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_THREAD };
	struct itimerspec it = { .it_value = ms(2), .it_interval = ms(2) };
	struct itimerval once = { .it_value = { 0, 20000 } }, often = once;
	struct sigaction a = { .sa_handler = fired_once };
	struct timespec ts = ms(80);
	timer_t timer;

	sigaction(SIGALRM, &a, NULL);
	setitimer(ITIMER_REAL, &once, NULL);
	TELL(nanosleep(&ts, &ts));
	often.it_interval.tv_usec = 20000;
	setitimer(ITIMER_REAL, &often, NULL);
	ts = ms(80);
	TELL(nanosleep(&ts, &ts));
	often.it_value.tv_usec = 0;
	setitimer(ITIMER_REAL, &often, NULL);
	sem_init(&ran, 0, 0);
	e.sigev_notify_function = post_ran;
	TELL(timer_create(CLOCK_MONOTONIC, &e, &timer));
	TELL(timer_settime(timer, 0, &it, NULL));
	ts = ms(80);
	while (nanosleep(&ts, &ts))
		continue;
	timer_delete(timer);
	TELL(sem_trywait(&ran));
}

/* Many timers, all of which fire. */
static void many_timers(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = SIGRTMIN + 2 };
	struct itimerspec it = { .it_value = ms(1) };
	struct sigaction a = { .sa_flags = SA_SIGINFO };
	static timer_t timer[200];

	a.sa_sigaction = fired_with;
	sigaction(SIGRTMIN + 2, &a, NULL);
	for (int i = 0; i < 200; i++) {
		e.sigev_value.sival_int = i;
		if (timer_create(CLOCK_MONOTONIC, &e, &timer[i]) ||
		    timer_settime(timer[i], 0, &it, NULL))
			abort();
	}
	while (nr_fired < 200)
		usleep(1000);
	TELL((long)nr_fired);
	for (int i = 0; i < 200; i++)
		timer_delete(timer[i]);
}

/* timerfd_create(2): reading tells how often it expired. */
static void timerfd_reads(void)
{
	struct itimerspec it = { ms(5), ms(5) }, now;
	uint64_t n = 0, sum = 0;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	TELL_TRUE(fd >= 0);
	TELL(timerfd_settime(fd, 0, &it, NULL));
	while (sum < 3) {
		if (read(fd, &n, 8) != 8)
			abort();
		sum += n;
	}
	TELL_TRUE(sum >= 3);
	TELL(timerfd_gettime(fd, &now));
	TELL((long)now.it_interval.tv_nsec);
	memset(&it, 0, sizeof(it));
	TELL(timerfd_settime(fd, 0, &it, NULL));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	TELL(read(fd, &n, 8));
	TELL(read(fd, &n, 4));
	TELL(timerfd_settime(0, 0, &it, NULL));
	close(fd);
}

/* A timer in epoll, and a thread that arms it. */
static void *arm(void *arg)
{
	struct itimerspec it = { .it_value = ms(3) };

	return (void *)(intptr_t)timerfd_settime(*(int *)arg, 0, &it, NULL);
}

static void timerfd_in_epoll(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	int ep = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 5 };
	uint64_t n = 0;
	pthread_t t;

	TELL(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	TELL(epoll_wait(ep, &e, 1, 10));
	t = start(arm, &fd);
	TELL(epoll_wait(ep, &e, 1, 5000));
	TELL((long)e.data.u64);
	TELL(read(fd, &n, 8));
	TELL((long)n);
	TELL((long)join(t));
}

/* Timer, clock and sleep agree about who is first. */
static void one_time_base(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec it = { .it_value = ms(50) };
	struct timespec ts = ms(20);
	uint64_t n;

	timerfd_settime(fd, 0, &it, NULL);
	nanosleep(&ts, NULL);
	TELL(read(fd, &n, 8));
	ts = ms(60);
	nanosleep(&ts, NULL);
	TELL(read(fd, &n, 8));
}

/* Timeouts of poll(2), select(2), epoll_wait(2). */
static void timeouts(void)
{
	int64_t begin = now_ns(CLOCK_MONOTONIC);
	struct timeval tv = { 0, 10000 };
	int ep = epoll_create1(0);
	struct epoll_event e;

	TELL(poll(NULL, 0, 10));
	TELL(select(0, NULL, NULL, NULL, &tv));
	TELL_TRUE(tv.tv_sec == 0 && tv.tv_usec == 0);
	TELL(epoll_wait(ep, &e, 1, 10));
	TELL_TRUE(now_ns(CLOCK_MONOTONIC) - begin >= 30000000);
}

/* Timed waits of threads: nobody comes. */
static void timed_waits(void)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t c = PTHREAD_COND_INITIALIZER;
	struct timespec at;
	sem_t s;

	sem_init(&s, 0, 0);
	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec++;
	pthread_mutex_lock(&m);
	TELL_ERROR(pthread_cond_timedwait(&c, &m, &at));
	TELL(sem_timedwait(&s, &at));
	TELL_ERROR(pthread_mutex_unlock(&m));
	at.tv_nsec = -1;
	TELL(sem_timedwait(&s, &at));
}

/* Processor time of process and thread does not run backwards. */
static void *burn(void *arg)
{
	clockid_t clock;
	int64_t begin;

	(void)arg;
	if (pthread_getcpuclockid(pthread_self(), &clock))
		return (void *)1;
	begin = now_ns(clock);
	for (volatile int i = 0; i < 1000; i++)
		continue;
	return (void *)(intptr_t)(now_ns(clock) < begin);
}

static void cpu_clocks(void)
{
	struct rusage usage;
	struct tms tms;
	clockid_t mine;
	int64_t begin = now_ns(CLOCK_PROCESS_CPUTIME_ID);

	TELL((long)join(start(burn, NULL)));
	TELL_TRUE(now_ns(CLOCK_PROCESS_CPUTIME_ID) >= begin);
	TELL_TRUE(times(&tms) != (clock_t)-1);
	TELL(getrusage(RUSAGE_SELF, &usage));
	TELL(getrusage(RUSAGE_THREAD, &usage));
	TELL_ERROR(clock_getcpuclockid(0, &mine));
	TELL_TRUE(clock_gettime(mine, &(struct timespec){ 0 }) == 0);
	TELL_TRUE(clock() != (clock_t)-1);
}

/* time(2), gettimeofday(2), clock_gettime(2) tell the same. */
static void clocks_agree(void)
{
	struct timeval tv;
	time_t t = time(NULL);
	struct timespec ts;

	TELL(gettimeofday(&tv, NULL));
	TELL(clock_gettime(CLOCK_REALTIME, &ts));
	TELL_TRUE(tv.tv_sec - t <= 2 && ts.tv_sec - tv.tv_sec <= 2);
	TELL(clock_gettime(CLOCK_REALTIME_COARSE, &ts));
	TELL_TRUE(ts.tv_sec - t <= 2);
	TELL(clock_gettime(CLOCK_TAI, &ts));
	TELL(clock_getres(CLOCK_MONOTONIC, &ts));
	TELL_TRUE(ts.tv_sec == 0 && ts.tv_nsec > 0);
}

int main(int argc, char **argv)
{
	static const struct program programs[] = {
		{ "nanosleep", sleeps_are_long_enough },
		{ "errors", time_errors },
		{ "absolute", absolute_sleep },
		{ "interrupted", sleep_is_interrupted },
		{ "alarm", alarm_returns },
		{ "setitimer", interval_timer },
		{ "cpu-timer", cpu_timer_ends_a_loop },
		{ "timer-create", timer_signals },
		{ "timer-thread", timer_threads },
		{ "short-sleeps", short_sleeps },
		{ "many-timers", many_timers },
		{ "timerfd", timerfd_reads },
		{ "timerfd-epoll", timerfd_in_epoll },
		{ "one-base", one_time_base },
		{ "timeouts", timeouts },
		{ "timed-waits", timed_waits },
		{ "cpu-clocks", cpu_clocks },
		{ "clocks", clocks_agree },
		{ NULL, NULL },
	};

	return system_main(programs, argc, argv);
}
