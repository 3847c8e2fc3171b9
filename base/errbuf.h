/* SPDX-License-Identifier: MIT */
/*
 * errbuf.h - the text of a failure, for functions whose caller prints.
 *
 * Appended on failure only, complete enough to print after "explore: ".
 * Lower case, no full stop, the subject in quotes: cannot open 'x/trace.json':
 * No such file or directory.
 */
#ifndef RECORDER_ERRBUF_H
#define RECORDER_ERRBUF_H

#include <stddef.h>

struct errbuf {
	char text[1024];	/* NUL-terminated; start with "" */
};

#define ERRBUF_INIT { "" }

/* Append; cut off when full. Accepts err == NULL. */
void errbuf_addf(struct errbuf *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* RECORDER_ERRBUF_H */
