/* SPDX-License-Identifier: MIT */
/*
 * suppressions.h - data races that a person does not want to hear of, in the
 * file format that users of ThreadSanitizer know.
 *
 *	# a comment
 *	race:PATTERN		either access is in such a function, inlined
 *				ones included, file or module, or the
 *				variable has that name
 *	race_top:PATTERN	the same of the function that does the access
 *
 * A pattern is looked for anywhere in the name; '*' stands for any characters,
 * '^' at its begin and '$' at its end hold it to those of the name. Lines of
 * other kinds (deadlock:, mutex:, ...) are about other findings.
 */
#ifndef EXPLORER_SUPPRESSIONS_H
#define EXPLORER_SUPPRESSIONS_H

#include <stdbool.h>
#include <stdint.h>

struct suppressions {
	struct suppression {
		char *pattern;
		bool is_top;
	} *entry;
	uint32_t nr;
};

/* Add those in `text`. */
void suppressions_parse(struct suppressions *s, const char *text);
/* Add those of a file. Returns 0 or -errno. */
int suppressions_load(struct suppressions *s, const char *path);
void suppressions_release(struct suppressions *s);

/* Whether the pattern matches the name; not when `name` is NULL. */
bool suppression_matches(const char *pattern, const char *name);
/* Whether some entry does; race_top ones count when is_top. */
bool suppressions_match(const struct suppressions *s, const char *name,
			bool is_top);

#endif /* EXPLORER_SUPPRESSIONS_H */
