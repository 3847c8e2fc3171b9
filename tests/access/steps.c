/* SPDX-License-Identifier: MIT */
/*
 * steps.c - two threads, each with one store a line: where slices end shows.
 *
 * check-slices counts from the line of FIRST.
 */
#include <pthread.h>

static volatile int mine[2];

/* A store a line; nothing else that the soft clock counts. */
static __attribute__((noinline)) void steps(volatile int *p)
{
	*p = 1;	/* FIRST */
	*p = 2;
	*p = 3;
	*p = 4;
	*p = 5;
	*p = 6;
	*p = 7;
	*p = 8;
	*p = 9;
	*p = 10;
	*p = 11;
	*p = 12;
	*p = 13;
	*p = 14;
	*p = 15;
	*p = 16;
	*p = 17;
	*p = 18;
	*p = 19;
	*p = 20;
	*p = 21;
	*p = 22;
	*p = 23;
	*p = 24;
	*p = 25;
	*p = 26;
	*p = 27;
	*p = 28;
	*p = 29;
	*p = 30;
	*p = 31;
	*p = 32;
	*p = 33;
	*p = 34;
	*p = 35;
	*p = 36;
	*p = 37;
	*p = 38;
	*p = 39;
	*p = 40;
}

static void *work(void *arg)
{
	steps(arg);
	return NULL;
}

int main(void)
{
	pthread_t thread[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, work, (void *)&mine[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
