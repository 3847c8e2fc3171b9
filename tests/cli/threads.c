/* SPDX-License-Identifier: MIT */
/*
 * threads.c - does what its first argument says, mostly in a second thread.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int balance;

/* Not one transaction: two at a time lose an update. */
static void *deposit(void *unused)
{
	int seen;

	pthread_mutex_lock(&lock);
	seen = balance;
	pthread_mutex_unlock(&lock);
	pthread_mutex_lock(&lock);
	balance = seen + 1;
	pthread_mutex_unlock(&lock);
	return unused;
}

static void run_two(void)
{
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, deposit, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}

/* Exit status 0 iff the call is refused. */
static int is_guarded(void)
{
	/* Signal 0 harms nobody. */
	return kill(getppid(), 0) == -1 && errno == EPERM ? 0 : 9;
}

static int echo_input(void)
{
	char line[64] = "";

	if (!fgets(line, sizeof(line), stdin))
		return 8;
	fputs(line, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "none"))
		return 0;
	run_two();
	if (!strcmp(what, "ok"))
		return 0;
	if (!strcmp(what, "lost"))
		return balance == 2 ? 0 : 5;
	if (!strcmp(what, "exit"))
		return 42;
	if (!strcmp(what, "abort"))
		abort();
	if (!strcmp(what, "input"))
		return echo_input();
	if (!strcmp(what, "guard"))
		return is_guarded();
	if (!strcmp(what, "print")) {
		puts("printed by the target");
		return 0;
	}
	if (!strcmp(what, "flood"))
		for (;;)
			puts("and again, and again, and again, and again");
	/* More than a tool may keep, in data and in name. */
	if (!strcmp(what, "gigabyte")) {
		static char block[1 << 20];

		for (int i = 0; i < 1024; i++)
			if (write(1, block, sizeof(block)) < 0)
				return 6;
		return 0;
	}
	if (!strcmp(what, "sparse")) {
		puts("first line");
		if (fflush(stdout) || ftruncate(1, 1l << 46))
			return 6;
		puts("last line");
		fflush(stdout);
		abort();
	}
	if (!strcmp(what, "compute"))
		for (volatile unsigned long n = 0;; n++)
			;
	return 2;
}
