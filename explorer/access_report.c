/* SPDX-License-Identifier: MIT */
/*
 * access_report.c - the data races that were seen, as a person reads them.
 *
 * Once per pair of places. Suppressions are read in ThreadSanitizer's format:
 * lines "race:PATTERN" (or "race_top:"), where a pattern with '*' is looked for
 * in function names, file names and module names; '#' starts a comment.
 */
#include "explorer/internal.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "explorer/util.h"

#define MAX_SUPPRESSIONS 1024

struct suppressions {
	char *pattern[MAX_SUPPRESSIONS];
	uint32_t nr;
};

static void suppressions_load(struct suppressions *s, const char *path)
{
	char *line = NULL;
	size_t room = 0;
	FILE *f;

	s->nr = 0;
	if (!path)
		return;
	f = fopen(path, "re");
	if (!f) {
		warn("cannot open suppressions '%s': %s", path,
		     strerror(errno));
		return;
	}
	while (getline(&line, &room, f) >= 0 && s->nr < MAX_SUPPRESSIONS) {
		char *end = line + strcspn(line, "\r\n"), *colon;

		while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
		*end = '\0';
		colon = strchr(line, ':');
		if (!colon || line[0] == '#' || strncmp(line, "race", 4))
			continue;
		/* A pattern matches anywhere unless anchored by ^ and $. */
		s->pattern[s->nr++] = xasprintf("*%s*", colon + 1);
	}
	free(line);
	fclose(f);
}

static void suppressions_release(struct suppressions *s)
{
	while (s->nr)
		free(s->pattern[--s->nr]);
}

static bool is_suppressed(const struct suppressions *s,
			  const struct symbol *symbol)
{
	for (uint32_t i = 0; i < s->nr; i++)
		if ((symbol->function &&
		     !fnmatch(s->pattern[i], symbol->function, 0)) ||
		    (symbol->file && !fnmatch(s->pattern[i], symbol->file, 0)) ||
		    (symbol->module &&
		     !fnmatch(s->pattern[i], symbol->module, 0)))
			return true;
	return false;
}

static void print_place(FILE *f, const char *what, uint32_t task,
			const struct symbol *symbol, uint64_t pc)
{
	fprintf(f, "    %-5s by T%u", what, task);
	if (symbol->function)
		fprintf(f, " in %s()", symbol->function);
	if (symbol->file)
		fprintf(f, " %s:%d", symbol->file, symbol->line);
	else if (symbol->module)
		fprintf(f, " %s+0x%llx", symbol->module,
			(unsigned long long)symbol->offset);
	else
		fprintf(f, " 0x%llx", (unsigned long long)pc);
	fputc('\n', f);
}

/* One source line often is several instructions: one race to a person. */
struct seen {
	char *key;
};

static bool is_new(struct seen *seen, uint32_t nr, const char *key)
{
	for (uint32_t i = 0; i < nr; i++)
		if (!strcmp(seen[i].key, key))
			return false;
	return true;
}

static char *key_of(const struct symbol *a, const struct symbol *b,
		    const struct control_race *r)
{
	if (a->file && b->file) {
		int order = strcmp(a->file, b->file);

		if (order > 0 || (!order && a->line > b->line)) {
			const struct symbol *other = a;

			a = b;
			b = other;
		}
		return xasprintf("%s:%d %s:%d", a->file, a->line, b->file,
				 b->line);
	}
	return xasprintf("%llx %llx", (unsigned long long)r->pc,
			 (unsigned long long)r->other_pc);
}

uint32_t access_print_races(FILE *f, const struct control *c,
			    struct symbols *symbols,
			    const struct access_scope *scope)
{
	struct suppressions s;
	struct seen *seen = xcalloc(c->nr_races + 1, sizeof(*seen));
	uint32_t nr = 0, nr_suppressed = 0;

	suppressions_load(&s, scope->suppressions);
	for (uint32_t i = 0; i < c->nr_races; i++) {
		const struct control_race *r = &c->race[i];
		struct symbol a, b;
		char text[128], *key;

		symbols_find(symbols, r->pc, false, &a);
		symbols_find(symbols, r->other_pc, false, &b);
		if (is_suppressed(&s, &a) || is_suppressed(&s, &b)) {
			nr_suppressed++;
			continue;
		}
		key = key_of(&a, &b, r);
		if (!is_new(seen, nr, key)) {
			free(key);
			continue;
		}
		seen[nr++].key = key;
		if (symbols_variable(symbols, r->addr, text, sizeof(text)))
			fprintf(f, "  data race on '%s'\n", text);
		else
			fprintf(f, "  data race on %u bytes at 0x%llx\n",
				r->size, (unsigned long long)r->addr);
		print_place(f, r->is_write ? "write" : "read", r->task, &a,
			    r->pc);
		print_place(f, r->other_is_write ? "write" : "read",
			    r->other_task, &b, r->other_pc);
	}
	if (nr_suppressed)
		fprintf(f, "  %u races suppressed\n", nr_suppressed);
	for (uint32_t i = 0; i < nr; i++)
		free(seen[i].key);
	free(seen);
	suppressions_release(&s);
	return nr;
}
