/* SPDX-License-Identifier: MIT */
/*
 * random.c - random walk: every candidate is as likely as every other.
 *
 * The baseline that others must beat, and a strong one: Thomson, Donaldson
 * and Betts, "Concurrency testing using controlled schedulers: an empirical
 * study", ACM Transactions on Parallel Computing 2(4), 2016.
 *
 * An even walk over n tasks leaves the running one n - 1 times in n, so long
 * undisturbed stretches of one task are unlikely: it seldom gets to the bugs
 * that need one. With stay=N the running task is left once in N points only
 * (by an even choice among the others), wherever it could go on.
 */
#include "strategies/strategies.h"
#include "strategies/internal.h"

struct state {
	uint64_t seed;
	uint64_t stay;
	struct strategy__rng rng;
};

static const struct explore_param params[] = {
	{
		.name = "stay",
		.help = "leave the running task once in this many points; "
			"0: choose evenly",
		.preset = 0,
		.min = 0,
		.max = 1u << 20,
	},
	{ .name = NULL },
};

static size_t random_bytes(const struct explore_setup *setup)
{
	(void)setup;
	return sizeof(struct state);
}

static void random_init(void *state, const struct explore_setup *setup)
{
	struct state *s = state;

	s->seed = setup->seed;
	s->stay = strategy__value(setup, params, 0);
}

static int random_begin(void *state, uint64_t run)
{
	struct state *s = state;

	strategy__rng_init(&s->rng, s->seed, run);
	return 1;
}

static struct explore_decision random_pick(void *state,
					   const struct explore_point *point)
{
	struct state *s = state;
	uint32_t previous = (uint32_t)point->previous;
	uint32_t index;

	if (!s->stay || point->nr < 2 || !strategy__is_preemptible(point))
		return strategy__answer(strategy__rng_below(&s->rng,
							    point->nr));
	if (strategy__rng_below(&s->rng, (uint32_t)s->stay))
		return strategy__answer(previous);
	index = strategy__rng_below(&s->rng, point->nr - 1);
	return strategy__answer(index + (index >= previous));
}

const struct explore_strategy strategy_random = {
	.abi = EXPLORE_STRATEGY_ABI,
	.name = "random",
	.summary = "random walk: any task that can run, all equally likely",
	.paper = "Thomson, Donaldson, Betts: Concurrency testing using "
		 "controlled schedulers, TOPC 2016",
	.param = params,
	.state_bytes = random_bytes,
	.init = random_init,
	.begin = random_begin,
	.pick = random_pick,
};
