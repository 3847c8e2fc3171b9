/* SPDX-License-Identifier: MIT */
/*
 * guest.h - what the guests share: starting threads and the success token.
 *
 * A guest is a plain program with one behaviour. It knows nothing of the
 * tool. When all is well it prints "ok" and ends with status 0.
 */
#ifndef TESTS_GUEST_H
#define TESTS_GUEST_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define GUEST_MAX_THREADS 128

/*
 * Compute for a few milliseconds. It makes a bug rare where the
 * kernel schedules, and changes nothing where somebody else does.
 */
static inline void guest_compute(void)
{
	for (volatile int i = 0; i < 1000000; i++)
		continue;
}

/* Run fn(arg) in a new joinable thread; the guest ends if that fails. */
static inline pthread_t guest_start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, arg)) {
		fprintf(stderr, "cannot create a thread\n");
		exit(99);
	}
	return thread;
}

static inline void guest_join(pthread_t thread)
{
	if (pthread_join(thread, NULL)) {
		fprintf(stderr, "cannot join a thread\n");
		exit(99);
	}
}

/* Run fn in nr threads at once, with 0 .. nr - 1 as argument, and join. */
static inline void guest_run(unsigned int nr, void *(*fn)(void *))
{
	pthread_t thread[GUEST_MAX_THREADS];

	for (uintptr_t i = 0; i < nr; i++)
		thread[i] = guest_start(fn, (void *)i);
	for (unsigned int i = 0; i < nr; i++)
		guest_join(thread[i]);
}

/* The number given as argument `i`, or `preset`. */
static inline unsigned int guest_number(int argc, char **argv, int i,
					unsigned int preset)
{
	return argc > i ? (unsigned int)strtoul(argv[i], NULL, 10) : preset;
}

/* For `return guest_ok();` at the end of main. */
static inline int guest_ok(void)
{
	puts("ok");
	return 0;
}

#endif /* TESTS_GUEST_H */
