/* SPDX-License-Identifier: MIT */
/*
 * pos.c - partial order sampling: a random priority for each operation.
 *
 * Yuan, Yang and Gu, "Partial order aware concurrency sampling", CAV 2018.
 *
 * Of the operations that can be carried out the one with the highest priority
 * is. Then the operations that depend on it (same object, one of them writing)
 * draw anew, as does the task's next one. Operations that do not depend on
 * each other keep theirs, so the walk spreads over orders that differ in an
 * effect, not over all the ways to write down the same one.
 */
#include "strategies/strategies.h"
#include "strategies/internal.h"

struct state {
	uint64_t seed;
	struct strategy__rng rng;
	uint32_t nr_known;	/* priority[] below is of this run */
	uint32_t reserved;
	uint64_t priority[];	/* of the task's announced operation; 0: none */
};

static size_t pos_bytes(const struct explore_setup *setup)
{
	return sizeof(struct state) + setup->max_tasks * sizeof(uint64_t);
}

static void pos_init(void *state, const struct explore_setup *setup)
{
	struct state *s = state;

	s->seed = setup->seed;
}

static int pos_begin(void *state, uint64_t run)
{
	struct state *s = state;

	strategy__rng_init(&s->rng, s->seed, run);
	s->nr_known = 0;
	return 1;
}

/* Give every candidate that has none a priority; return the highest. */
static uint32_t draw(struct state *s, const struct explore_point *point)
{
	uint32_t nr = point->candidate[point->nr - 1].task + 1;
	uint32_t best = 0;

	while (s->nr_known < nr)
		s->priority[s->nr_known++] = 0;
	for (uint32_t i = 0; i < point->nr; i++) {
		uint64_t *priority = &s->priority[point->candidate[i].task];

		if (!*priority)
			*priority = strategy__rng_next(&s->rng) | 1;
		if (*priority > s->priority[point->candidate[best].task])
			best = i;
	}
	return best;
}

static struct explore_decision pos_pick(void *state,
					const struct explore_point *point)
{
	struct state *s = state;
	uint32_t best;

	if (point->kind != EXPLORE_POINT_TASK)
		return strategy__answer(strategy__rng_below(&s->rng,
							    point->nr));
	/* It may have run an operation that nobody had to be asked about. */
	if (point->previous_task < s->nr_known)
		s->priority[point->previous_task] = 0;
	best = draw(s, point);
	/* A task depends on itself, so this is also its next operation's. */
	for (uint32_t i = 0; i < point->nr; i++)
		if (explore_op_is_dependent(&point->candidate[best],
					    &point->candidate[i]))
			s->priority[point->candidate[i].task] = 0;
	return strategy__answer(best);
}

const struct explore_strategy strategy_pos = {
	.abi = EXPLORE_STRATEGY_ABI,
	.name = "pos",
	.summary = "partial order sampling: random priorities per operation, "
		   "aware of what conflicts",
	.paper = "Yuan, Yang, Gu: Partial order aware concurrency sampling, "
		 "CAV 2018",
	.state_bytes = pos_bytes,
	.init = pos_init,
	.begin = pos_begin,
	.pick = pos_pick,
};
