/* SPDX-License-Identifier: MIT */
/*
 * pb.c - iterative preemption bounding: first all schedules without a
 * preemption, then all with one, and so on up to a bound.
 *
 * Musuvathi and Qadeer, "Iterative context bounding for systematic testing of
 * multithreaded programs", PLDI 2007.
 *
 * A preemption is a switch away from a task that could have gone on. Switches
 * where the task blocked, ended or gave way are free, and so are the choices
 * of who is woken and of values: all their answers are explored at each bound.
 * How the search keeps each schedule to one run stands in bounded.c.
 */
#include "strategies/strategies.h"
#include "strategies/internal.h"

static const struct explore_param params[] = {
	{
		.name = "bound",
		.help = "stop after all schedules with so many preemptions",
		.preset = 3,
		.min = 0,
		.max = 64,
	},
	{
		.name = "memory",
		.help = "MiB for schedules still to be run",
		.preset = 256,
		.min = 1,
		.max = 512,
	},
	{ .name = NULL },
};

static enum strategy__cost pb_cost(const struct explore_point *point)
{
	return strategy__is_preemptible(point) ? STRATEGY__FLAT :
						 STRATEGY__FREE;
}

static const struct strategy__bounded_ops ops = {
	.noun = "preemption",
	.cost = pb_cost,
};

static size_t pb_bytes(const struct explore_setup *setup)
{
	return strategy__bounded_bytes(setup, params);
}

static void pb_init(void *state, const struct explore_setup *setup)
{
	strategy__bounded_init(state, setup, params);
}

static struct explore_decision pb_pick(void *state,
				       const struct explore_point *point)
{
	return strategy__bounded_pick(state, point, &ops);
}

static void pb_describe(const void *state, char *text, size_t bytes)
{
	strategy__bounded_describe(state, text, bytes, &ops);
}

const struct explore_strategy strategy_pb = {
	.abi = EXPLORE_STRATEGY_ABI,
	.flags = EXPLORE_STRATEGY_F_SEQUENTIAL |
		 EXPLORE_STRATEGY_F_EXHAUSTIVE,
	.name = "pb",
	.summary = "every schedule with few preemptions, fewest first",
	.paper = "Musuvathi, Qadeer: Iterative context bounding for "
		 "systematic testing of multithreaded programs, PLDI 2007",
	.param = params,
	.state_bytes = pb_bytes,
	.init = pb_init,
	.begin = strategy__bounded_begin,
	.pick = pb_pick,
	.end = strategy__bounded_end,
	.describe = pb_describe,
};
