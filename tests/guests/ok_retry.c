/* SPDX-License-Identifier: MIT */
/*
 * ok_retry.c - readers that try again as long as a writer writes: correct
 *
 * The writer goes on until all readers are through, and nobody gives way. A
 * reader needs several steps without the writer. Argument 1: "sequence": a
 * sequence lock; "version": a value and a copy; "locked": each look is under a
 * lock that the writer takes all the time; 2: readers.
 */
#include <stdatomic.h>
#include <string.h>

#include "guest.h"

#define READS 5

static atomic_uint sequence, left, right, readers;
static unsigned int guarded;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *kind;

static void read_sequence(void)
{
	unsigned int before, a, b;

	do {
		while ((before = atomic_load(&sequence)) & 1)
			continue;
		a = atomic_load(&left);
		b = atomic_load(&right);
	} while (atomic_load(&sequence) != before);
	if (a != b)
		abort();
}

static void read_version(void)
{
	unsigned int a, b;

	do {
		a = atomic_load(&left);
		b = atomic_load(&right);
	} while (a != b || atomic_load(&left) != a);
}

static void read_locked(void)
{
	unsigned int first, second;

	pthread_mutex_lock(&lock);
	first = guarded;
	pthread_mutex_unlock(&lock);
	pthread_mutex_lock(&lock);
	second = guarded;
	pthread_mutex_unlock(&lock);
	if (second < first)
		abort();
}

static void *read_all(void *arg)
{
	for (int i = 0; i < READS; i++)
		if (!strcmp(kind, "sequence"))
			read_sequence();
		else if (!strcmp(kind, "version"))
			read_version();
		else
			read_locked();
	atomic_fetch_sub(&readers, 1);
	return arg;
}

static void write_once(unsigned int n)
{
	if (!strcmp(kind, "locked")) {
		pthread_mutex_lock(&lock);
		guarded = n;
		pthread_mutex_unlock(&lock);
		return;
	}
	atomic_fetch_add(&sequence, 1);
	atomic_store(&left, n);
	atomic_store(&right, n);
	atomic_fetch_add(&sequence, 1);
}

int main(int argc, char **argv)
{
	unsigned int nr = guest_number(argc, argv, 2, 1);
	pthread_t thread[GUEST_MAX_THREADS];

	kind = argc > 1 ? argv[1] : "sequence";
	atomic_store(&readers, nr);
	for (unsigned int i = 0; i < nr; i++)
		thread[i] = guest_start(read_all, NULL);
	for (unsigned int n = 1; atomic_load(&readers); n++)
		write_once(n);
	for (unsigned int i = 0; i < nr; i++)
		guest_join(thread[i]);
	return guest_ok();
}
