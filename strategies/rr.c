/* SPDX-License-Identifier: MIT */
/*
 * rr.c - round robin: each task runs for a number of operations, then it is
 * the next one's turn, in the order of their ids.
 *
 * What an ordinary scheduler with time slices does; a baseline. Run number r
 * stands for a quantum and a shift, counted like this:
 *
 *	run	0	1 2	3 4 5	6 ...
 *	quantum	1	2 2	3 3 3	4 ...
 *	shift	0	0 1	0 1 2	0 ...
 *
 * A turn lasts `quantum` operations, the first of a run `shift` fewer, so all
 * runs differ as long as the target is longer than the quantum. A task that
 * blocks or is about to give way ends its turn early.
 *
 * Brinch Hansen, "The nucleus of a multiprogramming system", CACM 13(4), 1970,
 * is an early description of the policy in a real system.
 */
#include "strategies/strategies.h"
#include "strategies/internal.h"

struct state {
	uint64_t run;
	uint64_t quantum;
	uint64_t left;		/* operations left of this turn */
};

static size_t rr_bytes(const struct explore_setup *setup)
{
	(void)setup;
	return sizeof(struct state);
}

static void rr_init(void *state, const struct explore_setup *setup)
{
	struct state *s = state;

	(void)setup;	/* nothing is random here */
	s->quantum = 1;
}

/* The largest q with q (q + 1) / 2 <= run: rows before the one of `run`. */
static uint64_t rows_before(uint64_t run)
{
	uint64_t low = 0, high = UINT32_MAX;

	while (low < high) {
		uint64_t middle = high - (high - low) / 2;
		uint64_t cells = middle % 2 ? (middle + 1) / 2 * middle :
					      middle / 2 * (middle + 1);

		if (cells <= run)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static int rr_begin(void *state, uint64_t run)
{
	struct state *s = state;
	uint64_t rows = rows_before(run);
	uint64_t shift = run - (rows % 2 ? (rows + 1) / 2 * rows :
					   rows / 2 * (rows + 1));

	s->run = run;
	s->quantum = rows + 1;
	s->left = s->quantum - shift;
	return 1;
}

static struct explore_decision rr_pick(void *state,
				       const struct explore_point *point)
{
	struct state *s = state;

	if (point->kind != EXPLORE_POINT_TASK)
		return strategy__answer((uint32_t)(s->run % point->nr));
	if (strategy__is_preemptible(point)) {
		if (s->left) {
			s->left--;
			return strategy__answer(strategy__ranked(point, 0));
		}
		s->left = s->quantum - 1;
		return strategy__answer(strategy__ranked(point,
							 point->nr > 1));
	}
	/* The first task of all begins with the shortened turn. */
	s->left = (point->step ? s->quantum : s->left) - 1;
	return strategy__answer(strategy__ranked(point, 0));
}

const struct explore_strategy strategy_rr = {
	.abi = EXPLORE_STRATEGY_ABI,
	.name = "rr",
	.summary = "round robin; each run has another time slice, a baseline",
	.paper = "Brinch Hansen: The nucleus of a multiprogramming system, "
		 "CACM 1970",
	.state_bytes = rr_bytes,
	.init = rr_init,
	.begin = rr_begin,
	.pick = rr_pick,
};
