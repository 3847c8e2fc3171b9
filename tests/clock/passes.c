/* SPDX-License-Identifier: MIT */
/*
 * passes.c - threads that pass a labelled instruction and write down who did,
 * so that the places where slices ended can be read from the output.
 *
 * passes MODE [PASSES]: what else a pass does:
 *	plain	nothing
 *	calls	system calls that are no operations
 *	memory	allocations
 *	lost	adds one to a counter that all share, without a lock; aborts at
 *		the end when an addition was lost
 *
 * Prints for each thread, in the order in which they ran, how many passes it
 * made without another in between: "1:15 2:3 1:8".
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define NR 2

static volatile int who[2000], nr_who;
static volatile long counter;
static const char *mode;
static int passes = 60;

static __attribute__((noinline)) void extra(void)
{
	struct rlimit limit;

	if (!strcmp(mode, "calls")) {
		getrlimit(RLIMIT_NOFILE, &limit);
		getuid();
	} else if (!strcmp(mode, "memory")) {
		free(malloc((size_t)rand() % 100000));
	}
}

static void *run(void *arg)
{
	int self = (int)(long)arg;

	for (int i = 0; i < passes; i++) {
		long seen = counter;

		__asm__ volatile(".globl pass_here\npass_here:\n\tnop"
				 : : : "memory");
		counter = seen + 1;
		who[nr_who++] = self;
		extra();
	}
	return NULL;
}

static void print_order(void)
{
	int length = 0;

	for (int i = 0; i < nr_who; i++) {
		length++;
		if (i + 1 < nr_who && who[i] == who[i + 1])
			continue;
		printf("%d:%d%c", who[i], length, i + 1 < nr_who ? ' ' : '\n');
		length = 0;
	}
}

int main(int argc, char **argv)
{
	pthread_t thread[NR];

	mode = argc > 1 ? argv[1] : "plain";
	if (argc > 2)
		passes = atoi(argv[2]);
	for (long i = 0; i < NR; i++)
		pthread_create(&thread[i], NULL, run, (void *)(i + 1));
	for (int i = 0; i < NR; i++)
		pthread_join(thread[i], NULL);
	print_order();
	if (!strcmp(mode, "lost") && counter != NR * passes)
		abort();
	return 0;
}
