/* SPDX-License-Identifier: MIT */
/*
 * last_exit.c - what exit handlers see of what threads did. Argument 1:
 *   last     main ends as a thread does: the last of them calls exit(), so its
 *            handlers come after all
 *   return   main returns, when it has seen the thread do its work, but without
 *            an order: a data race
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/guests/guest.h"

static int sum;

__attribute__((destructor)) static void say(void)
{
	if (sum >= 1)
		write(1, "ok\n", 3);
}

static void finish(void)
{
	sum++;
}

static void *work(void *arg)
{
	sum++;
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t;

	atexit(finish);
	t = guest_start(work, NULL);
	pthread_detach(t);
	if (argc > 1 && !strcmp(argv[1], "last"))
		pthread_exit(NULL);
	sleep(1);
	return 0;
}
