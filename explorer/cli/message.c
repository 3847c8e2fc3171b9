/* SPDX-License-Identifier: MIT */
/*
 * message.c - messages on stderr.
 */
#include "explorer/cli/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void complain(const char *fmt, va_list ap)
{
	char text[4096];

	vsnprintf(text, sizeof(text), fmt, ap);
	/* One write: lines of several threads do not mix. */
	fprintf(stderr, "explore: %s\n", text);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
}

void die(enum exit_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	exit(status);
}
