/* SPDX-License-Identifier: MIT */
/*
 * races_clock.c - vector clocks, and the lines they and others are made of.
 *
 * A clock is never copied as a whole but word by word where there is something
 * to copy: most clocks have a handful of entries, and what was never written
 * stays untouched memory.
 */
#include "scheduler/races/races_internal.h"
#include "scheduler/races/races_firm.h"

/* ---------------------------------------------------------------- lines */

uint32_t races__line_new(struct races *r, uint32_t keep)
{
	uint32_t line = r->free_line;

	/* Line 0 is none, so there is one less than the indices. */
	if (r->nr_lines_used + keep + 1 >= r->max_lines)
		return 0;
	r->nr_lines_used++;
	if (!line)
		return ++r->nr_lines;
	r->free_line = r->line[line].word[0];
	for (uint32_t i = 0; i < 8; i++)
		r->line[line].dword[i] = 0;
	return line;
}

void races__line_free(struct races *r, uint32_t line)
{
	r->line[line].word[0] = r->free_line;
	r->free_line = line;
	r->nr_lines_used--;
}

/* --------------------------------------------------------------- clocks */

static uint32_t nr_chunks(const struct races *r)
{
	return (r->nr_tasks + 15) / 16;
}

static uint32_t nr_inline(const struct races *r)
{
	return r->nr_tasks < RACES_CLOCK_INLINE ? r->nr_tasks :
						  RACES_CLOCK_INLINE;
}

/* The line with the entries of tasks 16 * chunk and on, or 0. */
static uint32_t chunk_find(const struct races *r, uint32_t clock,
			   uint32_t chunk)
{
	uint32_t at = r->line[clock].word[RACES_CLOCK_ROOT];

	at = r->line[at].word[chunk >> 4];
	return r->line[at].word[chunk & 15];
}

static uint32_t step_into(struct races *r, uint32_t line, uint32_t word)
{
	uint32_t *at = &r->line[line].word[word];

	if (!*at)
		*at = races__line_new(r, 0);
	if (!*at)
		r->is_blind = 1;
	return *at;
}

static uint32_t chunk_make(struct races *r, uint32_t clock, uint32_t chunk)
{
	uint32_t at = step_into(r, clock, RACES_CLOCK_ROOT);

	if (at)
		at = step_into(r, at, chunk >> 4);
	return at ? step_into(r, at, chunk & 15) : 0;
}

uint32_t races__clock_new(struct races *r)
{
	uint32_t clock = races__line_new(r, 0);

	if (!clock)
		r->is_blind = 1;
	return clock;
}

static void free_tree(struct races *r, uint32_t line, uint32_t depth)
{
	if (!line)
		return;
	for (uint32_t i = 0; depth && i < 16; i++)
		free_tree(r, r->line[line].word[i], depth - 1);
	races__line_free(r, line);
}

void races__clock_free(struct races *r, uint32_t clock)
{
	if (!clock)
		return;
	free_tree(r, r->line[clock].word[RACES_CLOCK_ROOT], 2);
	races__line_free(r, clock);
}

static void join_words(uint32_t *into, const uint32_t *from, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		if (into[i] < from[i])
			into[i] = from[i];
}

void races__clock_join(struct races *r, uint32_t into, uint32_t from)
{
	join_words(r->line[into].word, r->line[from].word, nr_inline(r));
	if (!r->line[from].word[RACES_CLOCK_ROOT])
		return;
	for (uint32_t i = 0; i < nr_chunks(r); i++) {
		uint32_t source = chunk_find(r, from, i);
		uint32_t target = source ? chunk_make(r, into, i) : 0;

		if (target)
			join_words(r->line[target].word, r->line[source].word,
				   16);
	}
}

static void copy_words(uint32_t *into, const uint32_t *from, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		into[i] = from[i];
		SCHED_NO_IDIOM();
	}
}

/* into = from */
void races__clock_assign(struct races *r, uint32_t into, uint32_t from)
{
	copy_words(r->line[into].word, r->line[from].word, nr_inline(r));
	if (!r->line[from].word[RACES_CLOCK_ROOT] &&
	    !r->line[into].word[RACES_CLOCK_ROOT])
		return;
	for (uint32_t i = 0; i < nr_chunks(r); i++) {
		uint32_t source = chunk_find(r, from, i);
		uint32_t target = source ? chunk_make(r, into, i) :
					   chunk_find(r, into, i);

		/* A missing source is line 0: all zero. */
		if (target)
			copy_words(r->line[target].word, r->line[source].word,
				   16);
	}
}

void races__clock_set(struct races *r, uint32_t clock, uint32_t t,
		      uint32_t epoch)
{
	uint32_t chunk;

	if (t < RACES_CLOCK_INLINE) {
		r->line[clock].word[t] = epoch;
		return;
	}
	chunk = chunk_make(r, clock, t >> 4);
	if (chunk)
		r->line[chunk].word[t & 15] = epoch;
}

/* ---------------------------------------------------------------- tasks */

void races__start(struct races *r, uint32_t t)
{
	struct races_task *task;

	SCHED_ASSERT(t < SCHED_MAX_TASKS);
	task = &r->task[t];
	if (task->clock)
		return;
	if (t >= r->nr_tasks)
		r->nr_tasks = t + 1;
	task->clock = races__clock_new(r);
	task->epoch = 1;
	if (task->clock)
		races__clock_set(r, task->clock, t, task->epoch);
}

void races_restart(struct races *r, uint32_t t)
{
	struct races_task *task = &r->task[t];

	if (!task->clock || r->is_blind)
		return;
	races__clock_free(r, task->clock);
	races__clock_free(r, task->firm);
	task->firm = 0;
	task->clock = races__clock_new(r);
	/* Without a parent: its id may be given again, too. */
	task->parent = 0;
	if (task->clock)
		races__tick(r, t);
}

void races__tick(struct races *r, uint32_t t)
{
	struct races_task *task = &r->task[t];

	if (task->epoch == UINT32_MAX) {
		r->is_blind = 1;
		return;
	}
	task->epoch++;
	races__clock_set(r, task->clock, t, task->epoch);
	if (task->firm)
		races__clock_set(r, task->firm, t, task->epoch);
}

/*
 * Whether the task and order in general can be worked with. Blind is for good,
 * so what is left undone after that does not matter.
 */
static bool is_usable(struct races *r, uint32_t t)
{
	races__start(r, t);
	return !r->is_blind;
}

void races_fork(struct races *r, uint32_t parent, uint32_t child)
{
	bool is_new;

	SCHED_ASSERT(parent != child && child < SCHED_MAX_TASKS);
	is_new = !r->task[child].clock;
	if (!is_usable(r, parent) || !is_usable(r, child))
		return;
	/* Only once, so that following parents comes to an end. */
	if (is_new) {
		r->task[child].parent = parent + 1;
		r->task[child].parent_epoch = r->task[parent].epoch;
	}
	races__firm_join(r, child, r->task[parent].clock, r->task[parent].firm);
	races__clock_join(r, r->task[child].clock, r->task[parent].clock);
	races__tick(r, parent);
}

void races_join(struct races *r, uint32_t task, uint32_t ended)
{
	if (task == ended || !is_usable(r, task) || !is_usable(r, ended))
		return;
	races__firm_join(r, task, r->task[ended].clock, r->task[ended].firm);
	races__clock_join(r, r->task[task].clock, r->task[ended].clock);
	/* Later actions of this task are not recorded. */
	races__tick(r, ended);
}

/* -------------------------------------------------------------- objects */

void races_acquire(struct races *r, uint32_t t, uint32_t object)
{
	SCHED_ASSERT(object <= RACES_MAX_OBJECTS);
	if (!is_usable(r, t) || !r->object_clock[object])
		return;
	if (r->has_firm)
		races__firm_join(r, t, r->object_clock[object],
				 r->object_firm[object]);
	races__clock_join(r, r->task[t].clock, r->object_clock[object]);
}

/* Makes the object's clock; 0 when that is not possible. */
static uint32_t releasable(struct races *r, uint32_t t, uint32_t object)
{
	SCHED_ASSERT(object <= RACES_MAX_OBJECTS);
	if (!is_usable(r, t))
		return 0;
	if (!r->object_clock[object])
		r->object_clock[object] = races__clock_new(r);
	return r->object_clock[object];
}

void races_release(struct races *r, uint32_t t, uint32_t object)
{
	uint32_t clock = releasable(r, t, object);

	if (!clock)
		return;
	if (r->has_firm)
		races__firm_release(r, t, object, false);
	races__clock_assign(r, clock, r->task[t].clock);
	races__tick(r, t);
}

void races_release_merge(struct races *r, uint32_t t, uint32_t object)
{
	uint32_t clock = releasable(r, t, object);

	if (!clock)
		return;
	if (r->has_firm)
		races__firm_release(r, t, object, true);
	races__clock_join(r, clock, r->task[t].clock);
	races__tick(r, t);
}
