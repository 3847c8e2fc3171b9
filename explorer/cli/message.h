/* SPDX-License-Identifier: MIT */
/*
 * message.h - messages on stderr, for explorer/cli/ only: the parts below
 * return an error, or tell an observer.
 */
#ifndef EXPLORER_CLI_MESSAGE_H
#define EXPLORER_CLI_MESSAGE_H

#include "base/util.h"

/* "explore: <text>" on stderr. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, then exit with that status. */
_Noreturn void die(enum exit_status status, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* EXPLORER_CLI_MESSAGE_H */
