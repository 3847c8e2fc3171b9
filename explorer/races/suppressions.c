/* SPDX-License-Identifier: MIT */
/*
 * suppressions.c - which data races are not to be mentioned.
 */
#include "explorer/races/suppressions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* The rest of the pattern, right here; '*' tries every place further on. */
static bool matches_here(const char *pattern, const char *end,
			 const char *name, bool is_to_end)
{
	for (; pattern < end; pattern++, name++) {
		if (*pattern == '*') {
			while (pattern < end && *pattern == '*')
				pattern++;
			if (pattern == end)
				return true;
			for (; *name; name++)
				if (matches_here(pattern, end, name, is_to_end))
					return true;
			return false;
		}
		if (*name != *pattern)
			return false;
	}
	return !is_to_end || !*name;
}

bool suppression_matches(const char *pattern, const char *name)
{
	const char *end = pattern + strlen(pattern);
	bool is_from_start = *pattern == '^', is_to_end;

	if (!name)
		return false;
	pattern += is_from_start;
	is_to_end = end > pattern && end[-1] == '$';
	end -= is_to_end;
	if (is_from_start)
		return matches_here(pattern, end, name, is_to_end);
	do {
		if (matches_here(pattern, end, name, is_to_end))
			return true;
	} while (*name++);
	return false;
}

bool suppressions_match(const struct suppressions *s, const char *name,
			bool is_top)
{
	for (uint32_t i = 0; i < s->nr; i++)
		if ((s->entry[i].kind == SUPPRESSION_RACE ||
		     (is_top && s->entry[i].kind == SUPPRESSION_TOP)) &&
		    suppression_matches(s->entry[i].pattern, name))
			return true;
	return false;
}

bool suppressions_match_caller(const struct suppressions *s,
			       const char *module)
{
	for (uint32_t i = 0; i < s->nr; i++)
		if (s->entry[i].kind == SUPPRESSION_CALLER &&
		    suppression_matches(s->entry[i].pattern, module))
			return true;
	return false;
}

bool suppressions_need_stacks(const struct suppressions *s)
{
	for (uint32_t i = 0; i < s->nr; i++)
		if (s->entry[i].kind != SUPPRESSION_TOP)
			return true;
	return false;
}

static const struct {
	const char *prefix;
	enum suppression_kind kind;
} kinds[] = {
	{ "race:", SUPPRESSION_RACE },
	{ "race_top:", SUPPRESSION_TOP },
	{ "called_from_lib:", SUPPRESSION_CALLER },
};

static void add_line(struct suppressions *s, const char *line, size_t n)
{
	while (n && (*line == ' ' || *line == '\t'))
		line++, n--;
	while (n && strchr(" \t\r", line[n - 1]))
		n--;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t length = strlen(kinds[i].prefix);

		if (n <= length || strncmp(line, kinds[i].prefix, length))
			continue;
		s->entry = xrealloc(s->entry, s->nr + 1, sizeof(*s->entry));
		s->entry[s->nr++] = (struct suppression){
			.pattern = xasprintf("%.*s", (int)(n - length),
					     line + length),
			.kind = kinds[i].kind,
		};
	}
}

void suppressions_parse(struct suppressions *s, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		add_line(s, text, n);
		text += n + (text[n] == '\n');
	}
}

int suppressions_load(struct suppressions *s, const char *path)
{
	char *line = NULL;
	size_t room = 0;
	FILE *f = fopen(path, "re");
	int rc = 0;

	if (!f)
		return -errno;
	while (getline(&line, &room, f) >= 0)
		suppressions_parse(s, line);
	if (ferror(f))
		rc = -EIO;
	free(line);
	fclose(f);
	return rc;
}

void suppressions_release(struct suppressions *s)
{
	while (s->nr)
		free(s->entry[--s->nr].pattern);
	free(s->entry);
	s->entry = NULL;
}
