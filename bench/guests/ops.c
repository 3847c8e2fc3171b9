/* SPDX-License-Identifier: MIT */
/*
 * ops.c - a run of known size: so many tasks, so many operations each.
 *
 *	ops TASKS OPERATIONS [hold]
 *
 * Main is one of the tasks. Each locks and unlocks a mutex of its own,
 * OPERATIONS / 2 times, so no operation ever blocks and every one can be
 * followed by any task. With `hold` main stays for ever once the others are
 * gone, to be looked at from outside.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_TASKS 1024

static long nr_operations;

static void *work(void *arg)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	(void)arg;
	for (long i = 0; i < nr_operations; i += 2) {
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static pthread_t thread[MAX_TASKS];
	long nr_tasks = argc > 2 ? strtol(argv[1], NULL, 10) : 0;

	nr_operations = argc > 2 ? strtol(argv[2], NULL, 10) : -1;
	if (nr_tasks < 1 || nr_tasks > MAX_TASKS || nr_operations < 0) {
		fprintf(stderr, "usage: ops TASKS OPERATIONS [hold]\n");
		return 2;
	}
	for (long i = 1; i < nr_tasks; i++)
		if (pthread_create(&thread[i], NULL, work, NULL))
			return 1;
	work(NULL);
	for (long i = 1; i < nr_tasks; i++)
		pthread_join(thread[i], NULL);
	if (argc > 3)
		pause();
	return 0;
}
