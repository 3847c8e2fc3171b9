/* SPDX-License-Identifier: MIT */
/*
 * util.c - memory that is always there, time, names of paths.
 */
#include "base/util.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static _Noreturn void no_memory(void)
{
	fputs("explore: out of memory\n", stderr);
	exit(EXIT_NO_CONTROL);
}

void *xcalloc(size_t nr, size_t bytes)
{
	void *p = calloc(nr ? nr : 1, bytes ? bytes : 1);

	if (!p)
		no_memory();
	return p;
}

void *xrealloc(void *p, size_t nr, size_t bytes)
{
	size_t total;

	if (__builtin_mul_overflow(nr, bytes, &total))
		no_memory();
	p = realloc(p, total ? total : 1);
	if (!p)
		no_memory();
	return p;
}

char *xstrdup(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		no_memory();
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		no_memory();
	va_end(ap);
	return text;
}

char **xstrvdup(char *const *v)
{
	size_t nr = 0;
	char **copy;

	while (v[nr])
		nr++;
	copy = xcalloc(nr + 1, sizeof(*copy));
	for (size_t i = 0; i < nr; i++)
		copy[i] = xstrdup(v[i]);
	return copy;
}

void strv_free(char **v)
{
	if (!v)
		return;
	for (size_t i = 0; v[i]; i++)
		free(v[i]);
	free(v);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
