/* SPDX-License-Identifier: MIT */
/*
 * race_log.c - which of the races that runs noted are real, new, suppressed.
 */
#include "explorer/race_log.h"

#include <stdlib.h>
#include <string.h>

#include "explorer/race_stacks.h"
#include "explorer/symbols.h"
#include "explorer/util.h"
#include "recorder/format.h"

#define MAX_REPLAYED 20u	/* races with stacks, by one job */

/* ------------------------------------------------------------ suppressions */

static bool is_name_suppressed(const struct suppressions *s,
			       const struct symbol *symbol, bool is_top)
{
	return suppressions_match(s, symbol->function, is_top) ||
	       suppressions_match(s, symbol->file, is_top) ||
	       suppressions_match(s, symbol->module, is_top);
}

/* The functions at one place, inlined ones included. */
static bool is_place_suppressed(const struct race_judge *j, uint64_t pc,
				bool is_return)
{
	const struct suppressions *s = j->suppressions;
	struct symbol chain[SYMBOLS_MAX_CHAIN];
	uint32_t nr = symbols__chain(j->symbols, pc, is_return, chain,
				     SYMBOLS_MAX_CHAIN);

	for (uint32_t i = 0; i < nr; i++) {
		if (is_name_suppressed(s, &chain[i], i == 0 && !is_return))
			return true;
		if (is_return &&
		    suppressions_match_caller(s, chain[i].module))
			return true;
	}
	return false;
}

static bool is_stack_suppressed(const struct race_judge *j,
				const struct stack *stack, uint64_t pc)
{
	if (is_place_suppressed(j, pc, false))
		return true;
	for (uint32_t i = 1; i < stack->nr; i++)
		if (is_place_suppressed(j, stack->pc[i], true))
			return true;
	return false;
}

static bool is_variable_suppressed(const struct race_judge *j, uint64_t addr)
{
	char text[128];

	if (!symbols_variable(j->symbols, addr, text, sizeof(text)))
		return false;
	text[strcspn(text, ".[+")] = '\0';
	return suppressions_match(j->suppressions, text, false);
}

static bool is_suppressed(const struct race_judge *j,
			  const struct control_race *r,
			  const struct race_entry *e)
{
	return j->suppressions->nr &&
	       (is_variable_suppressed(j, r->addr) ||
		is_stack_suppressed(j, &e->later, r->pc) ||
		is_stack_suppressed(j, &e->earlier, r->other_pc));
}

/* ----------------------------------------------------------------- judging */

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
		c->nr_atomic_pairs++;
		/* With both marked it cannot be seen again. */
		if (!(*state & *other_state & CONTROL_ACCESS_ATOMIC))
			is_changed = true;
		*state |= CONTROL_ACCESS_ATOMIC;
		*other_state |= CONTROL_ACCESS_ATOMIC;
	}
	c->nr_races = is_changed ? first : kept;
	return is_changed;
}

/*
 * A plain move of a register, the whole of it within 8 aligned bytes, is what
 * compilers make of atomic loads and stores, too.
 */
static bool is_like_atomic(const struct control *c, uint32_t site,
			   uint64_t addr, uint32_t bytes)
{
	const struct instrument_site *s = &c->access[site];
	const uint8_t both = INSTRUMENT_READS | INSTRUMENT_WRITES;

	return (s->flags & both) != both &&
	       !(s->flags & INSTRUMENT_REP) && s->size == bytes &&
	       s->size <= 8 && !(addr & (s->size - 1u));
}

static bool is_unsure(const struct race_judge *j, const struct control_race *r)
{
	return is_like_atomic(j->c, r->site, r->addr, r->size) &&
	       is_like_atomic(j->c, r->other_site, r->addr, r->size) &&
	       symbols_may_be_atomic_pair(j->symbols, r->pc, r->other_pc);
}

static char *key_of(struct symbols *symbols, const struct control_race *r)
{
	struct symbol a, b;

	symbols_find(symbols, r->pc, false, &a);
	symbols_find(symbols, r->other_pc, false, &b);
	if (a.file && b.file) {
		int order = strcmp(a.file, b.file);
		bool is_later = order > 0 || (!order && a.line > b.line);
		const struct symbol *x = is_later ? &b : &a;
		const struct symbol *y = is_later ? &a : &b;

		return xasprintf("%s:%d %s:%d", x->file, x->line, y->file,
				 y->line);
	}
	/* Whichever came first. */
	if (r->pc < r->other_pc)
		return xasprintf("%s+%llx %s+%llx", a.module ? a.module : "",
				 (unsigned long long)a.offset,
				 b.module ? b.module : "",
				 (unsigned long long)b.offset);
	return xasprintf("%s+%llx %s+%llx", b.module ? b.module : "",
			 (unsigned long long)b.offset,
			 a.module ? a.module : "",
			 (unsigned long long)a.offset);
}

static const struct race_entry *find_key(const struct race_log *log,
					 const char *key, uint32_t end)
{
	for (uint32_t i = 0; i < end; i++)
		if (log->entry[i].kind == RACE_SHOWN &&
		    !strcmp(log->entry[i].key, key))
			return &log->entry[i];
	return NULL;
}

/* A failure gets its stacks when it is confirmed, unless they decide. */
static bool needs_stacks(const struct race_judge *j)
{
	return j->scope->races == ACCESS_RACES_REPORT ||
	       suppressions_need_stacks(j->suppressions);
}

static void find_stacks(struct race_log *log, struct race_entry *e,
			const struct race_judge *j,
			const struct control_race *r)
{
	struct errbuf err = ERRBUF_INIT;

	if (!needs_stacks(j))
		return;
	if (log->nr_replayed++ >= MAX_REPLAYED) {
		errbuf_addf(&err, "only the first %u races are replayed for "
			    "their stacks", MAX_REPLAYED);
	} else if (!j->find_stacks(j->data, r, &e->later, &e->earlier, &err)) {
		return;
	}
	e->no_stack = xstrdup(err.text[0] ? err.text : "no reason given");
}

static void classify(struct race_log *log, struct race_entry *e,
		     const struct race_judge *j, const struct control_race *r)
{
	if (find_key(log, e->key, (uint32_t)(e - log->entry))) {
		e->kind = RACE_SAME;
		return;
	}
	if (is_unsure(j, r))
		e->kind = RACE_UNSURE;
	if (is_suppressed(j, r, e))	/* by its innermost functions */
		e->kind = RACE_SUPPRESSED;
	if (e->kind == RACE_SHOWN ||
	    (e->kind == RACE_UNSURE && j->scope->races == ACCESS_RACES_REPORT))
		find_stacks(log, e, j, r);
	if (is_suppressed(j, r, e))
		e->kind = RACE_SUPPRESSED;
}

/* Returns whether the race is no reason to end a run. */
static bool mark(const struct race_entry *e, const struct race_judge *j,
		 struct control_race *r)
{
	if (j->scope->races != ACCESS_RACES_FAIL)
		return false;
	if (e->kind == RACE_SUPPRESSED)
		r->benign = CONTROL_RACE_SUPPRESSED;
	else if (e->kind == RACE_UNSURE)
		r->benign = CONTROL_RACE_UNSURE;
	else if (e->kind == RACE_SAME && j->is_keep_going)
		r->benign = CONTROL_RACE_KNOWN;
	return r->benign != CONTROL_RACE_FAILS;
}

bool race_log_judge(struct race_log *log, const struct race_judge *j)
{
	struct control *c = j->c;
	bool is_changed = drop_atomic(c, j->symbols, log->nr);

	while (log->nr < c->nr_races) {
		struct control_race *r = &c->race[log->nr];
		struct race_entry *e;

		log->entry = xrealloc(log->entry, log->nr + 1,
				      sizeof(*log->entry));
		e = &log->entry[log->nr];
		memset(e, 0, sizeof(*e));
		e->found = *r;
		e->key = key_of(j->symbols, r);
		classify(log, e, j, r);
		is_changed |= mark(e, j, r);
		race_stacks_move_race(&e->found, c, j->home);
		race_stacks_move(&e->later, c, j->home);
		race_stacks_move(&e->earlier, c, j->home);
		log->nr++;
	}
	return is_changed;
}

static bool is_pair(const struct control_race *a, const struct control_race *b)
{
	return (a->pc == b->pc && a->other_pc == b->other_pc) ||
	       (a->pc == b->other_pc && a->other_pc == b->pc);
}

uint64_t race_log_end(struct race_log *log, struct control *c)
{
	struct control_race ended;
	const char *key = NULL;

	if (!race_stacks_parse(&c->verdict, &ended))
		return failure_place(c);
	for (uint32_t i = 0; i < log->nr && !key; i++)
		if (is_pair(&c->race[i], &ended))
			key = log->entry[i].key;
	if (!key)
		return failure_place(c);
	for (uint32_t i = 0; i < log->nr; i++)
		if (c->race[i].benign == CONTROL_RACE_FAILS &&
		    !strcmp(log->entry[i].key, key))
			c->race[i].benign = CONTROL_RACE_KNOWN;
	return format_checksum(FORMAT_CHECKSUM_INIT, key, strlen(key));
}

void race_log_release(struct race_log *log)
{
	for (uint32_t i = 0; i < log->nr; i++) {
		free(log->entry[i].key);
		free(log->entry[i].no_stack);
	}
	free(log->entry);
	memset(log, 0, sizeof(*log));
}
