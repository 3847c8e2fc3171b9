/* SPDX-License-Identifier: MIT */
/*
 * access.c - runs that consist of memory accesses, of known number and kind.
 *
 *	access private N	two tasks sort arrays of their own, N times
 *	access shared N		two tasks store to one variable, N times each
 *	access trap N		two tasks read one variable, N times each, by an
 *				instruction with no room for a jump behind it
 *
 * No locks: in the last two modes every access conflicts, and none of them
 * matters.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NR_ELEMENTS 512

static long nr;
static volatile int shared;

static void *sort_own(void *arg)
{
	int *v = malloc(NR_ELEMENTS * sizeof(*v));
	unsigned long sum = 0;
	unsigned int x = (unsigned int)(unsigned long)arg;

	if (!v)
		return NULL;
	for (long round = 0; round < nr; round++) {
		for (int i = 0; i < NR_ELEMENTS; i++) {
			x = x * 1103515245u + 12345u;
			v[i] = (int)(x >> 8);
		}
		for (int i = 1; i < NR_ELEMENTS; i++) {
			int key = v[i], j = i;

			for (; j && v[j - 1] > key; j--)
				v[j] = v[j - 1];
			v[j] = key;
		}
		sum += (unsigned long)v[NR_ELEMENTS / 2];
	}
	free(v);
	return (void *)sum;	/* or the compiler would see through it */
}

static void *store_shared(void *arg)
{
	(void)arg;
	for (long i = 0; i < nr; i++)
		shared = (int)i;
	return NULL;
}

/*
 * The load is two bytes long, and what follows it is jumped to: a jump of five
 * bytes does not fit.
 */
static void *read_shared(void *arg)
{
	volatile int *p = &shared;
	long left = nr;

	(void)arg;
	shared = 1;
	__asm__ volatile("jmp 2f\n"
			 "1:\tmovl (%1), %%eax\n"
			 "2:\tdec %0\n\t"
			 "jns 1b"
			 : "+r"(left) : "D"(p) : "eax", "cc", "memory");
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void *(*work)(void *);
	} mode[] = {
		{ "private", sort_own },
		{ "shared", store_shared },
		{ "trap", read_shared },
	};
	void *(*work)(void *) = NULL;
	void *sum, *other_sum;
	pthread_t thread;

	for (size_t i = 0; argc > 2 && i < sizeof(mode) / sizeof(mode[0]); i++)
		if (!strcmp(argv[1], mode[i].name))
			work = mode[i].work;
	nr = argc > 2 ? strtol(argv[2], NULL, 10) : -1;
	if (!work || nr < 0) {
		fprintf(stderr, "usage: access private|shared|trap N\n");
		return 2;
	}
	if (pthread_create(&thread, NULL, work, (void *)1))
		return 1;
	sum = work((void *)2);
	pthread_join(thread, &other_sum);
	return sum == (void *)1 && other_sum == (void *)1;
}
