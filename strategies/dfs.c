/* SPDX-License-Identifier: MIT */
/*
 * dfs.c - every schedule once, depth first.
 *
 * Godefroid, "Model checking for programming languages using VeriSoft", POPL
 * 1997: stateless search. No state of the target is kept, only the path of
 * choices; to go back, the target is run again along a prefix of it.
 *
 * The path is a stack with one entry for each point that had more than one
 * answer. begin() drops the entries whose answers are all used up and moves
 * the last one left to its next answer; the run then repeats the path and
 * takes rank 0 wherever it is new. Which answer has rank 0 says order.c: the
 * first run is the one without preemption.
 *
 * A repeated point must look as it did before. When it does not, the target is
 * not deterministic: the path is cut off there (what hung below it may be
 * missed) and describe() says so.
 */
#include "strategies/strategies.h"
#include "strategies/internal.h"

struct entry {
	uint32_t rank;		/* of the answer taken, < nr */
	uint32_t nr;		/* answers there were, >= 2 */
	uint32_t fingerprint;	/* strategy__fingerprint() of the point */
};

struct state {
	uint64_t capacity;	/* entries there is room for */
	uint64_t length;	/* entries in use */
	uint64_t depth;		/* entries met by the run so far, <= length */
	uint64_t nr_runs;	/* begun */
	uint64_t nr_done;	/* ended */
	uint64_t nr_strayed;	/* repeated points that had changed */
	uint64_t nr_cut;	/* points beyond the capacity */
	struct entry path[];
};

static size_t dfs_bytes(const struct explore_setup *setup)
{
	return sizeof(struct state) + setup->max_steps * sizeof(struct entry);
}

static void dfs_init(void *state, const struct explore_setup *setup)
{
	struct state *s = state;

	s->capacity = setup->max_steps;
}

/* Entries that are left when all used up ones at the end are dropped. */
static uint64_t open_length(const struct state *s)
{
	uint64_t length = s->length;

	while (length && s->path[length - 1].rank + 1 == s->path[length - 1].nr)
		length--;
	return length;
}

static int dfs_begin(void *state, uint64_t run)
{
	struct state *s = state;

	(void)run;
	if (s->nr_runs) {
		uint64_t length = open_length(s);

		if (!length)
			return 0;
		s->length = length;
		s->path[length - 1].rank++;
	}
	s->depth = 0;
	s->nr_runs++;
	return 1;
}

static struct explore_decision dfs_pick(void *state,
					const struct explore_point *point)
{
	struct state *s = state;
	struct entry *e;
	uint32_t fingerprint;

	if (point->nr < 2)
		return strategy__answer(0);
	if (s->depth == s->capacity) {
		s->nr_cut++;
		return strategy__answer(strategy__ranked(point, 0));
	}
	fingerprint = strategy__fingerprint(point);
	e = &s->path[s->depth];
	if (s->depth < s->length &&
	    (e->nr != point->nr || e->fingerprint != fingerprint)) {
		s->nr_strayed++;
		s->length = s->depth;
	}
	if (s->depth == s->length) {
		*e = (struct entry){ .nr = point->nr,
				     .fingerprint = fingerprint };
		s->length++;
	}
	s->depth++;
	return strategy__answer(strategy__ranked(point, e->rank));
}

static void dfs_end(void *state, const struct explore_outcome *outcome)
{
	struct state *s = state;

	(void)outcome;
	s->nr_done++;
	if (s->depth < s->length) {	/* ended before it was through */
		s->nr_strayed++;
		s->length = s->depth;
	}
}

static void dfs_describe(const void *state, char *text, size_t bytes)
{
	const struct state *s = state;
	struct strategy__text t = strategy__text(text, bytes);
	bool is_all = s->nr_runs && s->nr_done == s->nr_runs &&
		      !open_length(s);

	if (is_all && !s->nr_strayed && !s->nr_cut)
		strategy__add(&t, "every schedule: ");
	else
		strategy__add(&t, "depth first, part of the schedules: ");
	strategy__add_count(&t, s->nr_done, "run");
	if (s->nr_strayed) {
		strategy__add(&t, "; the target is not deterministic, ");
		strategy__add_count(&t, s->nr_strayed, "repeated point");
		strategy__add(&t, " had changed, so schedules may be missing");
	}
	if (s->nr_cut)
		strategy__add(&t, "; runs were longer than the step limit");
}

const struct explore_strategy strategy_dfs = {
	.abi = EXPLORE_STRATEGY_ABI,
	.flags = EXPLORE_STRATEGY_F_SEQUENTIAL |
		 EXPLORE_STRATEGY_F_EXHAUSTIVE,
	.name = "dfs",
	.summary = "every schedule once, depth first; for small targets",
	.paper = "Godefroid: Model checking for programming languages using "
		 "VeriSoft, POPL 1997",
	.state_bytes = dfs_bytes,
	.init = dfs_init,
	.begin = dfs_begin,
	.pick = dfs_pick,
	.end = dfs_end,
	.describe = dfs_describe,
};
