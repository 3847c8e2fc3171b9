/* SPDX-License-Identifier: MIT */
/*
 * omp_atomic.c - what OpenMP's directives make atomic. Without -fopenmp the code
 * is the same, with volatile: moves.
 *
 *   omp_atomic atomic	each access has its directive: correct
 *   omp_atomic next	the statement behind it has none: a data race
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wunknown-pragmas"

static volatile int flag, tail;
static int data;
static int has_tail;

static void *write_it(void *arg)
{
	data = 42;
#pragma omp atomic write
	flag = 1;
	if (has_tail)
		tail = 1;
	return arg;
}

static void *read_it(void *arg)
{
	int seen;

#pragma omp atomic read
	seen = flag;
	if (has_tail)
		seen += tail;
	if (seen == 1 && !has_tail)
		assert(data == 42);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t a, b;

	has_tail = argc > 1 && !strcmp(argv[1], "next");
	pthread_create(&a, NULL, write_it, NULL);
	pthread_create(&b, NULL, read_it, NULL);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	puts("ok");
	return 0;
}
