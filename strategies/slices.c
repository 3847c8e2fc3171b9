/* SPDX-License-Identifier: MIT */
/*
 * slices.c - preemption between two operations, by the clock.
 *
 * The other strategies switch at operations only; what a task does between two
 * of them is one step. Here each decision comes with a slice, a number of
 * ticks, and the end of a slice is a point like any other.
 *
 * Random (bound=0): slices of random length. No length suits all bugs: a
 * window of three instructions wants short slices, one that opens late wants
 * long ones. So the order of magnitude is drawn first, then the length. That
 * time slices should come in all sizes is a lesson of rr's chaos mode:
 * O'Callahan et al., "Engineering record and replay for deployability", USENIX
 * ATC 2017.
 *
 * Exhaustive (bound=N): a point at every `every` ticks, and among all those
 * points every way to preempt at most N times, fewest first; the search is
 * that of pb, see bounded.c.
 */
#include "strategies/strategies.h"
#include "strategies/internal.h"

struct state {
	uint64_t seed;
	uint64_t every;
	uint32_t nr_magnitudes;	/* of slices, in powers of two */
	uint32_t is_exhaustive;
	struct strategy__rng rng;
	_Alignas(64) unsigned char search[];	/* bounded.c's state */
};

static const struct explore_param params[] = {
	{
		.name = "bound",
		.help = "all schedules with so many preemptions; "
			"0: random slices",
		.preset = 0,
		.min = 0,
		.max = 64,
	},
	{
		.name = "memory",
		.help = "MiB for schedules still to be run (with bound)",
		.preset = 256,
		.min = 1,
		.max = 512,
	},
	{
		.name = "every",
		.help = "ticks between two points where a slice can end",
		.preset = 1,
		.min = 1,
		.max = 1ull << 40,
	},
	{
		.name = "span",
		.help = "random slices last up to 2^span such distances",
		.preset = 12,
		.min = 0,
		.max = 31,
	},
	{ .name = NULL },
};

static enum strategy__cost slices_cost(const struct explore_point *point)
{
	return strategy__is_preemptible(point) ? STRATEGY__FLAT :
						 STRATEGY__FREE;
}

static const struct strategy__bounded_ops ops = {
	.noun = "preemption",
	.cost = slices_cost,
};

static size_t slices_bytes(const struct explore_setup *setup)
{
	size_t bytes = sizeof(struct state);

	if (strategy__value(setup, params, 0))
		bytes += strategy__bounded_bytes(setup, params);
	return bytes;
}

static void slices_init(void *state, const struct explore_setup *setup)
{
	struct state *s = state;

	s->seed = setup->seed;
	s->every = strategy__value(setup, params, 2);
	s->nr_magnitudes = (uint32_t)strategy__value(setup, params, 3) + 1;
	s->is_exhaustive = strategy__value(setup, params, 0) != 0;
	if (s->is_exhaustive)
		strategy__bounded_init(s->search, setup, params);
}

static int slices_begin(void *state, uint64_t run)
{
	struct state *s = state;

	if (s->is_exhaustive)
		return strategy__bounded_begin(s->search, run);
	strategy__rng_init(&s->rng, s->seed, run);
	return 1;
}

static uint64_t random_slice(struct state *s)
{
	uint32_t magnitude = strategy__rng_below(&s->rng, s->nr_magnitudes);

	return s->every *
	       (1 + (uint64_t)strategy__rng_below(&s->rng, 1u << magnitude));
}

static struct explore_decision slices_pick(void *state,
					   const struct explore_point *point)
{
	struct state *s = state;
	struct explore_decision d;

	if (s->is_exhaustive)
		d = strategy__bounded_pick(s->search, point, &ops);
	else
		d = strategy__answer(strategy__rng_below(&s->rng, point->nr));
	if (point->kind == EXPLORE_POINT_TASK)
		d.ticks = s->is_exhaustive ? s->every : random_slice(s);
	return d;
}

static void slices_end(void *state, const struct explore_outcome *outcome)
{
	struct state *s = state;

	if (s->is_exhaustive)
		strategy__bounded_end(s->search, outcome);
}

static void slices_describe(const void *state, char *text, size_t bytes)
{
	const struct state *s = state;
	struct strategy__text t = strategy__text(text, bytes);

	if (!s->is_exhaustive) {
		strategy__add(&t, "random slices of up to ");
		strategy__add_count(&t, s->every << (s->nr_magnitudes - 1),
				    "tick");
		return;
	}
	strategy__bounded_describe(s->search, text, bytes, &ops);
	t = strategy__text(text + strategy__length(text),
			   bytes - strategy__length(text));
	strategy__add(&t, "; preemption possible every ");
	strategy__add_count(&t, s->every, "tick");
}

const struct explore_strategy strategy_slices = {
	.abi = EXPLORE_STRATEGY_ABI,
	.flags = EXPLORE_STRATEGY_F_SEQUENTIAL | EXPLORE_STRATEGY_F_TICKS |
		 EXPLORE_STRATEGY_F_MAY_EXHAUST,
	.name = "slices",
	.summary = "preempt between operations too: random or all slices",
	.paper = "O'Callahan et al.: Engineering record and replay for "
		 "deployability, USENIX ATC 2017 (chaos mode)",
	.param = params,
	.state_bytes = slices_bytes,
	.init = slices_init,
	.begin = slices_begin,
	.pick = slices_pick,
	.end = slices_end,
	.describe = slices_describe,
};
