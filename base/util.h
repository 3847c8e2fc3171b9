/* SPDX-License-Identifier: MIT */
/*
 * util.h - memory that is always there, time, names of paths.
 *
 * For the tool only: without memory, the x-functions say so and end the process
 * with EXIT_NO_CONTROL.
 */
#ifndef EXPLORER_UTIL_H
#define EXPLORER_UTIL_H

#include <stddef.h>
#include <stdint.h>

/* Exit status of every subcommand; documented in man/explore.1. */
enum exit_status {
	EXIT_NOTHING_FOUND = 0,
	EXIT_FOUND = 1,		/* a failure; a replay that diverged */
	EXIT_USAGE = 2,
	EXIT_NO_CONTROL = 3,	/* target not controllable, or our own error */
};

void *xcalloc(size_t nr, size_t bytes);
void *xrealloc(void *p, size_t nr, size_t bytes);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Copy a NULL-terminated vector of strings. */
char **xstrvdup(char *const *v);
void strv_free(char **v);

/* Monotonic real time. */
uint64_t now_ns(void);

/* The part after the last slash. */
const char *path_base(const char *path);

#endif /* EXPLORER_UTIL_H */
