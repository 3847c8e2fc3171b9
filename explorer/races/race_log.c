/* SPDX-License-Identifier: MIT */
/*
 * race_log.c - which of the races that runs noted are real, new, suppressed.
 */
#include "explorer/races/race_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "explorer/races/race_stacks.h"
#include "explorer/target/place.h"
#include "recorder/format.h"
#include "explorer/symbols/variables.h"

#define MAX_REPLAYED 20u	/* races with stacks, of one search */

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
	uint32_t nr = symbols_chain(j->symbols, pc, is_return, chain,
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

/* ----------------------------------------------------------------- entries */

static char *key_of(struct symbols *symbols, const struct control_race *r)
{
	struct symbol a, b;
	const struct symbol *x = &a, *y = &b;
	int order;

	symbols_find(symbols, r->pc, false, &a);
	symbols_find(symbols, r->other_pc, false, &b);
	if (a.file && b.file) {
		order = strcmp(a.file, b.file);
		if (order > 0 || (!order && a.line > b.line))
			x = &b, y = &a;
		return xasprintf("%s:%d %s:%d", x->file, x->line, y->file,
				 y->line);
	}
	if (r->pc > r->other_pc)	/* whichever came first */
		x = &b, y = &a;
	return xasprintf("%s+%llx %s+%llx", x->module ? x->module : "",
			 (unsigned long long)x->offset,
			 y->module ? y->module : "",
			 (unsigned long long)y->offset);
}

static bool has_key(const struct race_entry *entry, uint32_t nr,
		    enum race_kind kind, const char *key)
{
	for (uint32_t i = 0; i < nr; i++)
		if (entry[i].kind == kind && !strcmp(entry[i].key, key))
			return true;
	return false;
}

/* Whether the run goes on is a matter of the callers. */
static bool is_decided_by_stacks(const struct race_judge *j,
				 enum race_kind kind)
{
	return j->scope->races == ACCESS_RACES_FAIL && kind == RACE_SHOWN &&
	       suppressions_need_stacks(j->suppressions);
}

/* A failure gets its stacks when it is confirmed. */
static bool needs_stacks(const struct race_judge *j, enum race_kind kind)
{
	return j->scope->races == ACCESS_RACES_REPORT &&
	       (kind == RACE_SHOWN || kind == RACE_UNSURE);
}

static void find_stacks(struct race_log *log, struct race_entry *e,
			const struct race_judge *j,
			const struct control_race *r)
{
	struct errbuf err = ERRBUF_INIT;

	if ((j->known ? j->known->nr_replayed : 0) + log->nr_replayed++ >=
	    MAX_REPLAYED) {
		errbuf_addf(&err, "only the first %u races are replayed for "
			    "their stacks", MAX_REPLAYED);
	} else if (!j->find_stacks(j->data, r, &e->later, &e->earlier, &err)) {
		return;
	}
	e->no_stack = xstrdup(err.text[0] ? err.text : "no reason given");
}

/* Append an entry for r; what it is but for suppressions is given. */
static void add(struct race_log *log, struct race_entry **entry, uint32_t *nr,
		const struct race_judge *j, const struct control_race *r,
		enum race_kind kind)
{
	bool is_unsure = kind == RACE_UNSURE;
	struct race_entry *e;

	*entry = xrealloc(*entry, *nr + 1, sizeof(**entry));
	e = &(*entry)[*nr];
	*e = (struct race_entry){ .found = *r, .kind = kind };
	e->key = key_of(j->symbols, r);
	if (has_key(*entry, *nr, kind, e->key) ||
	    has_key(is_unsure ? j->known->unsure : j->known->entry,
		    is_unsure ? j->known->nr_unsure : j->known->nr, kind,
		    e->key))
		e->kind = RACE_SAME;
	else if (is_suppressed(j, r, e))	/* by the innermost functions */
		e->kind = RACE_SUPPRESSED;
	if (is_decided_by_stacks(j, e->kind)) {
		find_stacks(log, e, j, r);
		if (is_suppressed(j, r, e))
			e->kind = RACE_SUPPRESSED;
	}
	race_stacks_move_race(&e->found, j->c, j->home);
	race_stacks_move(&e->later, j->c, j->home);
	race_stacks_move(&e->earlier, j->c, j->home);
	++*nr;
}

/* ------------------------------------------------------- atomic, or may be */

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

/* Returns whether that is news: with both marked they do not race again. */
static bool mark_atomic(struct control *c, const struct control_race *r)
{
	uint8_t *state = &c->access_state[r->site];
	uint8_t *other_state = &c->access_state[r->other_site];
	bool is_new = !(*state & *other_state & CONTROL_ACCESS_ATOMIC);

	*state |= CONTROL_ACCESS_ATOMIC;
	*other_state |= CONTROL_ACCESS_ATOMIC;
	return is_new;
}

/*
 * Take those out of race[], and all the others of the run when there was an
 * order in it that the detector did not know. Returns whether there was.
 */
static bool drop_atomic(struct race_log *log, const struct race_judge *j)
{
	struct control *c = j->c;
	uint32_t first = j->known->nr + log->nr, nr_unsure = log->nr_unsure;
	uint32_t kept = first;
	struct control_race *atomic;
	uint32_t nr_atomic = 0;
	bool is_changed = false;

	atomic = xcalloc(c->nr_races - first + 1, sizeof(*atomic));
	for (uint32_t i = first; i < c->nr_races; i++) {
		const struct control_race *r = &c->race[i];

		if (symbols_is_atomic_pair(j->symbols, r->pc, r->other_pc,
					   r->addr)) {
			atomic[nr_atomic++] = *r;
		} else if (is_unsure(j, r)) {
			atomic[nr_atomic++] = *r;
			/* Before it is marked: its replay must find it. */
			add(log, &log->unsure, &log->nr_unsure, j, r,
			    RACE_UNSURE);
		} else {
			c->race[kept++] = *r;
		}
	}
	for (uint32_t i = 0; i < nr_atomic; i++)
		is_changed |= mark_atomic(c, &atomic[i]);
	free(atomic);
	log->nr_atomic_pairs += nr_atomic - (log->nr_unsure - nr_unsure);
	c->nr_races = is_changed ? first : kept;
	return is_changed;
}

/* ----------------------------------------------------------------- judging */

/* Returns whether the race is no reason to end a run. */
static bool mark_benign(const struct race_entry *e, const struct race_judge *j,
			struct control_race *r)
{
	if (j->scope->races != ACCESS_RACES_FAIL)
		return false;
	if (e->kind == RACE_SUPPRESSED)
		r->benign = CONTROL_RACE_SUPPRESSED;
	else if (e->kind == RACE_SAME && j->is_keep_going)
		r->benign = CONTROL_RACE_KNOWN;
	return r->benign != CONTROL_RACE_FAILS;
}

bool race_log_judge(struct race_log *log, const struct race_judge *j)
{
	bool is_changed = drop_atomic(log, j);

	while (j->known->nr + log->nr < j->c->nr_races) {
		struct control_race *r =
			&j->c->race[j->known->nr + log->nr];

		add(log, &log->entry, &log->nr, j, r, RACE_SHOWN);
		is_changed |= mark_benign(&log->entry[log->nr - 1], j, r);
	}
	return is_changed;
}

static bool is_pair(const struct control_race *a, const struct control_race *b)
{
	return (a->pc == b->pc && a->other_pc == b->other_pc) ||
	       (a->pc == b->other_pc && a->other_pc == b->pc);
}

uint64_t race_log_end(struct race_log *log, const struct race_log *known,
		      const struct control *c)
{
	struct control_race ended;
	const char *key = NULL;

	if (!race_stacks_parse(&c->verdict, &ended))
		return place_of_failure(c);
	for (uint32_t i = 0; i < known->nr + log->nr && !key; i++)
		if (is_pair(&c->race[i], &ended))
			key = i < known->nr ? known->entry[i].key
					    : log->entry[i - known->nr].key;
	if (!key)
		return place_of_failure(c);
	free(log->ended_by);
	log->ended_by = xstrdup(key);
	return format_checksum(FORMAT_CHECKSUM_INIT, key, strlen(key));
}

/* ----------------------------------------------------------------- merging */

static bool has_pair(const struct race_entry *entry, uint32_t nr,
		     const struct control_race *r)
{
	for (uint32_t i = 0; i < nr; i++)
		if (is_pair(&entry[i].found, r))
			return true;
	return false;
}

/* Move *from to the end of the search's entries, judged by those before. */
static void take(struct race_log *known, struct race_entry **entry,
		 uint32_t *nr, struct race_entry *from, enum race_kind kind,
		 const struct race_judge *j)
{
	struct race_entry *e;

	*entry = xrealloc(*entry, *nr + 1, sizeof(**entry));
	e = &(*entry)[*nr];
	*e = *from;
	from->key = from->no_stack = NULL;
	e->number = known->nr + known->nr_unsure;
	if (e->kind != RACE_SUPPRESSED)
		e->kind = has_key(*entry, *nr, kind, e->key) ? RACE_SAME : kind;
	if (needs_stacks(j, e->kind)) {
		find_stacks(known, e, j, &e->found);
		if (is_suppressed(j, &e->found, e))
			e->kind = RACE_SUPPRESSED;
	}
	e->found.benign = CONTROL_RACE_FAILS;
	if (kind == RACE_SHOWN)
		mark_benign(e, j, &e->found);
	++*nr;
}

void race_log_merge(struct race_log *known, struct race_log *log,
		    const struct race_judge *j)
{
	known->nr_replayed += log->nr_replayed;
	for (uint32_t i = 0; i < log->nr; i++)
		if (known->nr < CONTROL_MAX_RACES &&
		    !has_pair(known->entry, known->nr, &log->entry[i].found))
			take(known, &known->entry, &known->nr, &log->entry[i],
			     RACE_SHOWN, j);
	for (uint32_t i = 0; i < log->nr_unsure; i++)
		if (!has_pair(known->unsure, known->nr_unsure,
			      &log->unsure[i].found))
			take(known, &known->unsure, &known->nr_unsure,
			     &log->unsure[i], RACE_UNSURE, j);
	for (uint32_t i = 0; log->ended_by && i < known->nr; i++)
		if (known->entry[i].found.benign == CONTROL_RACE_FAILS &&
		    !strcmp(known->entry[i].key, log->ended_by))
			known->entry[i].found.benign = CONTROL_RACE_KNOWN;
}

static void release(struct race_entry *entry, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		free(entry[i].key);
		free(entry[i].no_stack);
	}
	free(entry);
}

void race_log_release(struct race_log *log)
{
	release(log->entry, log->nr);
	release(log->unsure, log->nr_unsure);
	free(log->ended_by);
	memset(log, 0, sizeof(*log));
}
