/* SPDX-License-Identifier: MIT */
/*
 * errbuf.c - appending to the text of a failure.
 */
#include "base/errbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void errbuf_addf(struct errbuf *err, const char *fmt, ...)
{
	size_t used;
	va_list args;

	if (!err)
		return;
	used = strnlen(err->text, sizeof(err->text) - 1);
	va_start(args, fmt);
	vsnprintf(err->text + used, sizeof(err->text) - used, fmt, args);
	va_end(args);
}
