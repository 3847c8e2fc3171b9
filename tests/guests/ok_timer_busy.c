/* SPDX-License-Identifier: MIT */
/*
 * A loop that computes until the handler of a timer lets it stop; which timer,
 * and what it computes with, by the arguments.
 */
#include "guest.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t nr_ticks;
static unsigned long counted;
static volatile unsigned long table[64];

static void tick(int sig)
{
	(void)sig;
	nr_ticks++;
}

static void start_timer(const char *which)
{
	struct itimerval it = { { 0, 5000 }, { 0, 5000 } };
	struct itimerspec its = { { 0, 5000000 }, { 0, 5000000 } };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = SIGALRM };
	timer_t timer;

	if (!strcmp(which, "alarm")) {
		alarm(1);
	} else if (!strcmp(which, "real")) {
		setitimer(ITIMER_REAL, &it, NULL);
	} else if (!strcmp(which, "virtual")) {
		setitimer(ITIMER_VIRTUAL, &it, NULL);
	} else if (!strcmp(which, "prof")) {
		setitimer(ITIMER_PROF, &it, NULL);
	} else {
		if (timer_create(!strcmp(which, "cpu") ?
				 CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC,
				 &e, &timer) ||
		    timer_settime(timer, 0, &its, NULL))
			exit(99);
	}
}

static void compute(const char *how, sig_atomic_t enough)
{
	unsigned long i = 0;

	if (!strcmp(how, "empty"))
		while (nr_ticks < enough)
			continue;
	else if (!strcmp(how, "register"))
		while (nr_ticks < enough)
			i++;
	else if (!strcmp(how, "memory"))
		while (nr_ticks < enough)
			counted++;
	else if (!strcmp(how, "table"))
		while (nr_ticks < enough)
			for (int k = 1; k < 64; k++)
				table[k] += table[k - 1] + i++;
	else if (!strcmp(how, "calls"))
		while (nr_ticks < enough)
			syscall(SYS_getppid);
	else
		while (nr_ticks < enough)
			clock();
	counted += i;
}

static int64_t used_us(void)
{
	struct rusage r;
	struct tms t;

	if (getrusage(RUSAGE_SELF, &r) || times(&t) == (clock_t)-1)
		exit(99);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
	       r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

static void *in_thread(void *arg)
{
	char **argv = arg;

	compute(argv[2], nr_ticks + 2);
	return NULL;
}

static void *idle(void *arg)
{
	return arg;
}

/* TIMER COMPUTATION [THREADS] */
int main(int argc, char **argv)
{
	bool is_once = argc > 1 && !strcmp(argv[1], "alarm");
	int64_t begin = used_us();

	if (argc < 3)
		return 99;
	signal(SIGALRM, tick);
	signal(SIGVTALRM, tick);
	signal(SIGPROF, tick);
	start_timer(argv[1]);
	if (argc > 3) {
		pthread_t a = guest_start(in_thread, argv);

		guest_join(guest_start(in_thread, argv));
		guest_join(a);
	} else {
		compute(argv[2], is_once ? 1 : 3);
	}
	/* Then only is there something to explore. */
	guest_join(guest_start(idle, NULL));
	/* It has computed that long, if that is what the timer measures. */
	if (strcmp(argv[1], "alarm") && strcmp(argv[1], "real") &&
	    strcmp(argv[1], "timer") && used_us() - begin < 8000)
		return 1;
	return guest_ok();
}
