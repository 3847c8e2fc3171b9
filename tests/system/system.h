/* SPDX-License-Identifier: MIT */
/*
 * system.h - what the programs of tests/system share: telling what happened.
 *
 * Each file holds one family of the manual's section 2, and each row of its
 * table is a program: `system-signals sigsuspend OUT` runs one and appends what
 * it has to tell to OUT, in one piece. What a program tells depends neither on
 * the schedule, nor on time, nor on numbers that the kernel chose, so the same
 * text comes out natively and in every run under explore.
 */
#ifndef TESTS_SYSTEM_H
#define TESTS_SYSTEM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct program {
	const char *name;
	void (*run)(void);
};

static char told[16384];
static size_t nr_told;

/* Add to what the program tells. One thread at a time: the caller orders. */
static inline __attribute__((format(printf, 1, 2))) void
say(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(told + nr_told, sizeof(told) - nr_told, format, args);
	va_end(args);
	if (n < 0 || nr_told + (size_t)n >= sizeof(told))
		abort();
	nr_told += (size_t)n;
}

/* A call and its result, or the name of its error. */
#define TELL(call)                                                      \
	({                                                              \
		long result_ = (errno = 0, (long)(call));               \
		if (result_ == -1)                                      \
			say("%s: %s\n", #call, strerrorname_np(errno)); \
		else                                                    \
			say("%s = %ld\n", #call, result_);              \
		result_;                                                \
	})

/* Whether a call succeeded, when the number it returns is the kernel's. */
#define TELL_OK(call)                                                   \
	({                                                              \
		long result_ = (errno = 0, (long)(call));               \
		say("%s: %s\n", #call,                                  \
		    result_ == -1 ? strerrorname_np(errno) : "ok");     \
		result_;                                                \
	})

/* A pthread call: the error is the result. */
#define TELL_ERROR(call)                                              \
	({                                                            \
		int error_ = (call);                                  \
		say("%s: %s\n", #call,                                \
		    error_ ? strerrorname_np(error_) : "ok");         \
		error_;                                               \
	})

#define TELL_TRUE(condition) \
	say("%s: %s\n", #condition, (condition) ? "yes" : "no")

static inline pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, arg))
		abort();
	return thread;
}

static inline intptr_t join(pthread_t thread)
{
	void *result;

	if (pthread_join(thread, &result))
		abort();
	return (intptr_t)result;
}

/* A name in /tmp that no other process uses; `what` tells files apart. */
static inline const char *scratch(char *path, size_t bytes, const char *what)
{
	snprintf(path, bytes, "/tmp/explore-system-%d-%s", (int)getpid(), what);
	return path;
}

/* Find the program, run it, and append what it told to the file. */
static inline int system_main(const struct program *p, int argc, char **argv)
{
	int fd;

	if (argc < 2) {
		for (; p->name; p++)
			puts(p->name);
		return 0;
	}
	while (p->name && strcmp(p->name, argv[1]))
		p++;
	if (!p->name || argc != 3) {
		fprintf(stderr, "usage: %s [PROGRAM OUT]\n", argv[0]);
		return 99;
	}
	p->run();
	say("end of %s\n", p->name);
	fd = open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, told, nr_told) != (ssize_t)nr_told)
		return 99;
	return 0;
}

#endif /* TESTS_SYSTEM_H */
