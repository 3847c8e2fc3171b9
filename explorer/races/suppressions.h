/* SPDX-License-Identifier: MIT */
/*
 * suppressions.h - data races that a person does not want to hear of, in the
 * file format that users of ThreadSanitizer know.
 *
 *	# a comment
 *	race:PATTERN		such a function, inlined ones included, file or
 *				module is in the stack of either access, or
 *				the variable has that name
 *	race_top:PATTERN	the same of the function that does the access
 *	called_from_lib:PATTERN	either access is below a call from such a
 *				module
 *
 * A pattern is looked for anywhere in the name; '*' stands for any characters,
 * '^' at its begin and '$' at its end hold it to those of the name. Lines of
 * other kinds (deadlock:, mutex:, ...) are about other findings.
 */
#ifndef EXPLORER_SUPPRESSIONS_H
#define EXPLORER_SUPPRESSIONS_H

#include <stdbool.h>
#include <stdint.h>

enum suppression_kind {
	SUPPRESSION_RACE,
	SUPPRESSION_TOP,
	SUPPRESSION_CALLER,
};

struct suppressions {
	struct suppression {
		char *pattern;
		enum suppression_kind kind;
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
/* The same of the module of a caller and the called_from_lib entries. */
bool suppressions_match_caller(const struct suppressions *s,
			       const char *module);
/* Whether callers can make a difference. */
bool suppressions_need_stacks(const struct suppressions *s);

#endif /* EXPLORER_SUPPRESSIONS_H */
