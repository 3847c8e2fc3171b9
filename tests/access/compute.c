/* SPDX-License-Identifier: MIT */
/*
 * compute.c - a function that two threads call for memory that they share, a
 * few times, and then for memory of their own, very often.
 *
 * Its accesses are operations as soon as they are seen to race. The schedule
 * must not drown in those that cannot.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#define NR 2
#define ROUNDS 400000
#define CELLS 64

static long shared[CELLS], own[NR][CELLS];

static __attribute__((noinline)) void add(long *cell, int rounds)
{
	for (int i = 0; i < rounds; i++)
		cell[i % CELLS] += 1;
}

static void *work(void *arg)
{
	add(shared, 2);
	add(arg, ROUNDS);
	return NULL;
}

int main(void)
{
	pthread_t thread[NR];

	for (int i = 0; i < NR; i++)
		pthread_create(&thread[i], NULL, work, own[i]);
	for (int i = 0; i < NR; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < NR; i++) {
		long sum = 0;

		for (int k = 0; k < CELLS; k++)
			sum += own[i][k];
		assert(sum == ROUNDS);
	}
	puts("ok");
	return 0;
}
