/* SPDX-License-Identifier: MIT */
/*
 * access_report.c - the data races that were seen, as a person reads them:
 * once per pair of lines, without those between atomic accesses.
 */
#include "explorer/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "explorer/describe.h"
#include "explorer/suppressions.h"
#include "explorer/util.h"

static bool is_name_suppressed(const struct suppressions *s,
			       const struct symbol *symbol, bool is_top)
{
	return suppressions_match(s, symbol->function, is_top) ||
	       suppressions_match(s, symbol->file, is_top) ||
	       suppressions_match(s, symbol->module, is_top);
}

static bool is_place_suppressed(const struct suppressions *s,
				struct symbols *symbols, uint64_t pc)
{
	struct symbol chain[SYMBOLS_MAX_CHAIN];
	uint32_t nr = symbols__chain(symbols, pc, false, chain,
				     SYMBOLS_MAX_CHAIN);

	for (uint32_t i = 0; i < nr; i++)
		if (is_name_suppressed(s, &chain[i], i == 0))
			return true;
	return false;
}

static bool is_suppressed(const struct suppressions *s,
			  struct symbols *symbols, const struct control_race *r)
{
	char text[128];

	if (!s->nr)
		return false;
	if (symbols_variable(symbols, r->addr, text, sizeof(text))) {
		text[strcspn(text, ".[+")] = '\0';
		if (suppressions_match(s, text, false))
			return true;
	}
	return is_place_suppressed(s, symbols, r->pc) ||
	       is_place_suppressed(s, symbols, r->other_pc);
}

void access_describe_memory(struct symbols *symbols,
			    const struct control_race *r, char *text,
			    size_t bytes)
{
	char name[DESCRIBE_BYTES];
	struct symbol symbol;

	if (symbols_variable(symbols, r->addr, name, sizeof(name))) {
		snprintf(text, bytes, "'%s'", name);
		return;
	}
	if (!r->block) {
		snprintf(text, bytes, "%u byte%s at 0x%llx", r->size,
			 r->size == 1 ? "" : "s", (unsigned long long)r->addr);
		return;
	}
	symbols_find(symbols, r->block_pc, true, &symbol);
	describe_symbol(&symbol, r->block_pc, name, sizeof(name));
	snprintf(text, bytes, "a heap block of %llu bytes allocated at %s, "
		 "offset %llu", (unsigned long long)r->block_bytes, name,
		 (unsigned long long)(r->addr - r->block));
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

/* Whether a pair of atomic accesses was found; race[] keeps the others. */
static bool drop_atomic(struct control *c, struct symbols *symbols,
			uint32_t first)
{
	bool is_changed = false;
	uint32_t kept = first;

	for (uint32_t i = first; i < c->nr_races; i++) {
		const struct control_race *r = &c->race[i];
		uint8_t *state = &c->access_state[r->site];
		uint8_t *other_state = &c->access_state[r->other_site];

		if (!symbols_is_atomic_pair(symbols, r->pc, r->other_pc,
					    r->addr)) {
			c->race[kept++] = *r;
			continue;
		}
		/* With both marked it cannot be seen again. */
		if (!(*state & *other_state & CONTROL_ACCESS_ATOMIC))
			is_changed = true;
		*state |= CONTROL_ACCESS_ATOMIC;
		*other_state |= CONTROL_ACCESS_ATOMIC;
	}
	c->nr_races = is_changed ? first : kept;
	return is_changed;
}

bool access_judge_races(struct control *c, struct symbols *symbols,
			const struct access_scope *scope, uint32_t first)
{
	struct suppressions s = { NULL, 0 };
	bool is_changed = drop_atomic(c, symbols, first);

	if (scope->races != ACCESS_RACES_FAIL || !scope->suppressions)
		return is_changed;
	suppressions_load(&s, scope->suppressions);	/* told at the end */
	for (uint32_t i = first; i < c->nr_races; i++) {
		if (!is_suppressed(&s, symbols, &c->race[i]))
			continue;
		c->race[i].is_benign = 1;
		is_changed = true;
	}
	suppressions_release(&s);
	return is_changed;
}

uint32_t access_print_races(FILE *f, const struct control *c,
			    struct symbols *symbols,
			    const struct access_scope *scope)
{
	struct suppressions s = { NULL, 0 };
	struct seen *seen = xcalloc(c->nr_races + 1, sizeof(*seen));
	uint32_t nr = 0, nr_suppressed = 0;
	bool has_unknown = false;
	int rc;

	rc = scope->suppressions ? suppressions_load(&s, scope->suppressions)
				 : 0;
	if (rc)
		warn("cannot read suppressions '%s': %s", scope->suppressions,
		     strerror(-rc));
	for (uint32_t i = 0; i < c->nr_races; i++) {
		const struct control_race *r = &c->race[i];
		struct symbol a, b;
		char text[2 * DESCRIBE_BYTES], *key;

		symbols_find(symbols, r->pc, false, &a);
		symbols_find(symbols, r->other_pc, false, &b);
		if (is_suppressed(&s, symbols, r)) {
			nr_suppressed++;
			continue;
		}
		key = key_of(&a, &b, r);
		if (!is_new(seen, nr, key)) {
			free(key);
			continue;
		}
		seen[nr++].key = key;
		has_unknown |= !a.file || !b.file;
		access_describe_memory(symbols, r, text, sizeof(text));
		fprintf(f, "  data race on %s\n", text);
		print_place(f, r->is_write ? "write" : "read", r->task, &a,
			    r->pc);
		print_place(f, r->other_is_write ? "write" : "read",
			    r->other_task, &b, r->other_pc);
	}
	if (has_unknown)
		fprintf(f, "  places without a line have no debug information "
			"(-g): atomic loads and stores\n"
			"  cannot be told from plain ones there, and may be "
			"among these\n");
	if (nr_suppressed)
		fprintf(f, "  %u race%s suppressed\n", nr_suppressed,
			nr_suppressed == 1 ? "" : "s");
	for (uint32_t i = 0; i < nr; i++)
		free(seen[i].key);
	free(seen);
	suppressions_release(&s);
	return nr;
}
