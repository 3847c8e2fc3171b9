/* SPDX-License-Identifier: MIT */
/*
 * report_races.c - the data races of a search, as a person reads them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "explorer/races/race_log.h"
#include "explorer/report/internal.h"
#include "explorer/report/report.h"
#include "explorer/report/summary.h"
#include "explorer/symbols/variables.h"

#define MAX_SHOWN 50u	/* more are only counted: nobody reads them at once */

static const char *plural(uint32_t nr)
{
	return nr == 1 ? "" : "s";
}

void report_race_subject(struct symbols *symbols, const struct control_race *r,
			 char *text, size_t bytes)
{
	char name[DESCRIBE_BYTES];
	struct symbol symbol;

	if (symbols_variable(symbols, r->addr, name, sizeof(name))) {
		snprintf(text, bytes, "'%s'", name);
		return;
	}
	if (!r->block) {
		snprintf(text, bytes, "%u byte%s at 0x%llx", r->size,
			 plural(r->size), (unsigned long long)r->addr);
		return;
	}
	symbols_find(symbols, r->block_pc, true, &symbol);
	describe_symbol(&symbol, r->block_pc, name, sizeof(name));
	snprintf(text, bytes, "a heap block of %llu bytes allocated at %s, "
		 "offset %llu", (unsigned long long)r->block_bytes, name,
		 (unsigned long long)(r->addr - r->block));
}

static void print_access(struct report_context *c, const char *what,
			 uint32_t task, uint64_t pc, const struct stack *stack)
{
	struct stack here = { .task = task, .nr = 1, .is_exact = true };
	char prefix[32];

	here.pc[0] = pc;
	snprintf(prefix, sizeof(prefix), "    %-5s by T%u at", what, task);
	report__print_frames(c, stack->nr ? stack : &here, prefix);
}

static void print_race(struct report_context *c, const struct race_entry *e)
{
	const struct control_race *r = &e->found;
	char text[2 * DESCRIBE_BYTES];

	report_race_subject(c->d.symbols, r, text, sizeof(text));
	if (e->kind == RACE_UNSURE)
		fprintf(c->f, "  data race on %s, unless it is atomic\n", text);
	else if (symbols_is_volatile(c->d.symbols, r->addr))
		fprintf(c->f, "  data race on %s, which is volatile, not "
			"atomic\n", text);
	else
		fprintf(c->f, "  data race on %s\n", text);
	print_access(c, r->is_write ? "write" : "read", r->task, r->pc,
		     &e->later);
	print_access(c, r->other_is_write ? "write" : "read", r->other_task,
		     r->other_pc, &e->earlier);
	if (e->no_stack)
		fprintf(c->f, "    (callers unknown: %s)\n", e->no_stack);
}

/* ------------------------------------------------------------- all of them */

static int by_run(const void *a, const void *b)
{
	const struct race_entry *x = *(struct race_entry *const *)a;
	const struct race_entry *y = *(struct race_entry *const *)b;

	if (x->found.run != y->found.run)
		return x->found.run < y->found.run ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* Of entries with the same places, the one that is shown comes first. */
static bool is_repeated(const struct race_entry *const *e, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (e[k]->kind != RACE_SAME && !strcmp(e[k]->key, e[i]->key))
			return true;
	return e[i]->kind == RACE_SAME;
}

/* The races, in the order in which runs saw them first; malloc'd. */
static const struct race_entry **collect_all(const struct race_log *log)
{
	const struct race_entry **e;
	uint32_t nr = 0;

	e = xcalloc(log->nr + log->nr_unsure + 1, sizeof(*e));
	for (uint32_t i = 0; i < log->nr; i++)
		e[nr++] = &log->entry[i];
	for (uint32_t i = 0; i < log->nr_unsure; i++)
		e[nr++] = &log->unsure[i];
	qsort(e, nr, sizeof(*e), by_run);
	return e;
}

static void print_totals(FILE *f, const uint32_t *nr,
			 const struct access_scope *scope)
{
	bool is_fail = scope->races == ACCESS_RACES_FAIL;

	if (nr[RACE_SHOWN])
		fprintf(f, "  %u data race%s seen%s\n", nr[RACE_SHOWN],
			plural(nr[RACE_SHOWN]),
			is_fail ? "" : " (--races fail makes them failures)");
	if (nr[RACE_UNSURE])
		fprintf(f, "  %u pair%s of accesses may be atomic loads and "
			"stores: without debug information (-g)\n"
			"  and source they look like plain ones%s\n",
			nr[RACE_UNSURE], plural(nr[RACE_UNSURE]),
			is_fail ? ", and are no failures" : "");
	if (nr[RACE_SUPPRESSED])
		fprintf(f, "  %u race%s suppressed\n", nr[RACE_SUPPRESSED],
			plural(nr[RACE_SUPPRESSED]));
}

void report_races(FILE *f, const struct race_log *log, struct symbols *symbols,
		  const struct access_scope *scope)
{
	const struct trace none = { .nr_events = 0 };
	const struct report r = { .trace = &none };
	struct report_context c = { .f = f, .r = &r };
	uint32_t nr = log->nr + log->nr_unsure;
	uint32_t count[RACE_UNSURE + 1] = { 0 }, nr_shown = 0;
	const struct race_entry **e = collect_all(log);

	describe_init(&c.d, &none, symbols, NULL, 0);
	for (uint32_t i = 0; i < nr; i++) {
		if (is_repeated(e, i))
			continue;
		count[e[i]->kind]++;
		if (e[i]->kind != RACE_SUPPRESSED && nr_shown++ < MAX_SHOWN)
			print_race(&c, e[i]);
	}
	if (nr_shown > MAX_SHOWN)
		fprintf(f, "  ... and %u more\n", nr_shown - MAX_SHOWN);
	print_totals(f, count, scope);
	describe_release(&c.d);
	free(e);
}
