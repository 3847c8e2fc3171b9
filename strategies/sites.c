/* SPDX-License-Identifier: MIT */
/*
 * sites.c - random priorities for places in the code, not for tasks.
 *
 * A hundred tasks that run the same function differ in nothing but when; a
 * strategy that orders tasks must get many of them right at once. Here all
 * operations of one place and kind have one priority, so "everybody before
 * anybody writes here" is one draw. Tasks at one place are ordered among
 * themselves by a draw of their own. Holding tasks back at single places is
 * the idea of Sen, "Race directed random testing of concurrent programs", PLDI
 * 2008; places as abstract events, of Wolff, Shi, Duck, Mathur and
 * Roychoudhury, "Greybox fuzzing for concurrency testing", ASPLOS 2024.
 *
 * A third of the runs puts memory accesses behind everything else, so that all
 * tasks come to their conflicting accesses before any of them goes on, and
 * another third all but the creation and the start of tasks. Three of four
 * runs draw all priorities anew once in a while, some at every point; the
 * others do so rarely, for two tasks that politely give way to each other
 * would else never end.
 */
#include "strategies/strategies.h"
#include "strategies/internal.h"

#define NOT_HELD (1ull << 63)
/* Points, on average, between two draws of all priorities. */
static const uint16_t redraws[] = { 256, 1, 16, 4 };

#define NR_REDRAWS (sizeof(redraws) / sizeof(*redraws))

/* What stands behind everything else. */
enum hold {
	HOLD_ACCESSES,
	HOLD_WORK,	/* all but what makes and starts tasks */
	HOLD_NOTHING,
	NR_HOLDS,
};

struct state {
	uint64_t seed;
	uint64_t place_key;	/* what the priorities come from */
	uint64_t task_key;
	uint32_t hold;		/* enum hold */
	uint32_t redraw;	/* all priorities, once in so many points */
	struct strategy__rng rng;
};

static size_t sites_bytes(const struct explore_setup *setup)
{
	(void)setup;
	return sizeof(struct state);
}

static void sites_init(void *state, const struct explore_setup *setup)
{
	struct state *s = state;

	s->seed = setup->seed;
}

static int sites_begin(void *state, uint64_t run)
{
	struct state *s = state;

	strategy__rng_init(&s->rng, s->seed, run);
	s->place_key = strategy__rng_next(&s->rng);
	s->task_key = strategy__rng_next(&s->rng);
	s->hold = (uint32_t)(run % NR_HOLDS);
	s->redraw = redraws[run / NR_HOLDS % NR_REDRAWS];
	return 1;
}

static bool is_held(const struct state *s, const struct explore_op *op)
{
	switch (s->hold) {
	case HOLD_ACCESSES:
		return op->kind >= EXPLORE_OP_MEMORY_READ &&
		       op->kind <= EXPLORE_OP_ATOMIC_RMW;
	case HOLD_WORK:
		return !strategy__is_start(op);
	default:
		return false;
	}
}

static uint64_t priority(const struct state *s, const struct explore_op *op)
{
	uint64_t place = (uint64_t)op->site << 16 | op->kind;
	uint64_t p = strategy__mix(s->place_key +
				   place * 0x9e3779b97f4a7c15ull);

	p &= ~NOT_HELD;
	return is_held(s, op) ? p : p | NOT_HELD;
}

static struct explore_decision sites_pick(void *state,
					  const struct explore_point *point)
{
	struct state *s = state;
	uint64_t best_priority = 0, best_rank = 0;
	uint32_t best = 0;

	if (point->kind != EXPLORE_POINT_TASK)
		return strategy__answer(strategy__rng_below(&s->rng,
							    point->nr));
	if (point->nr > 1 && !strategy__rng_below(&s->rng, s->redraw)) {
		s->place_key = strategy__rng_next(&s->rng);
		/* Or two tasks in one place would never take turns. */
		s->task_key = strategy__rng_next(&s->rng);
	}
	for (uint32_t i = 0; i < point->nr; i++) {
		const struct explore_op *op = &point->candidate[i];
		uint64_t p = priority(s, op);
		uint64_t rank = strategy__mix(s->task_key + op->task);

		if (i && (p < best_priority ||
			  (p == best_priority && rank <= best_rank)))
			continue;
		best = i;
		best_priority = p;
		best_rank = rank;
	}
	return strategy__answer(best);
}

const struct explore_strategy strategy_sites = {
	.abi = EXPLORE_STRATEGY_ABI,
	.name = "sites",
	.summary = "random priorities for places in the code: many tasks that "
		   "do the same",
	.paper = "Sen: Race directed random testing of concurrent programs, "
		 "PLDI 2008",
	.state_bytes = sites_bytes,
	.init = sites_init,
	.begin = sites_begin,
	.pick = sites_pick,
};
