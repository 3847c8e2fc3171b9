/* SPDX-License-Identifier: MIT */
/*
 * db.c - iterative delay bounding: first the one schedule of a deterministic
 * scheduler, then all in which it is disturbed once, and so on up to a bound.
 *
 * Emmi, Qadeer and Rakamaric, "Delay-bounded scheduling", POPL 2011.
 *
 * The deterministic scheduler is round robin without preemption: a task runs
 * until it blocks, ends or gives way, then the next higher one that can run
 * (order.c). A delay makes it skip the task whose turn it is; r delays at one
 * point skip r tasks. There are never more delays at a point than tasks to
 * skip to, so each schedule has one list of delays only. Which waiter is woken
 * is treated alike: skipping a waiter is a delay. Values are no business of
 * the scheduler: all of them are explored at each bound, for free.
 *
 * With n tasks, the number of schedules with d delays does not grow with n as
 * that with d preemptions does, since delays, unlike preemptions, do not
 * choose freely among the tasks: use this one when there are many.
 */
#include "strategies/strategies.h"
#include "strategies/internal.h"

static const struct explore_param params[] = {
	{
		.name = "bound",
		.help = "stop after all schedules with so many delays",
		.preset = 2,
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

static enum strategy__cost db_cost(const struct explore_point *point)
{
	return point->kind == EXPLORE_POINT_VALUE ? STRATEGY__FREE :
						    STRATEGY__RISING;
}

static const struct strategy__bounded_ops ops = {
	.noun = "delay",
	.cost = db_cost,
};

static size_t db_bytes(const struct explore_setup *setup)
{
	return strategy__bounded_bytes(setup, params);
}

static void db_init(void *state, const struct explore_setup *setup)
{
	strategy__bounded_init(state, setup, params);
}

static struct explore_decision db_pick(void *state,
				       const struct explore_point *point)
{
	return strategy__bounded_pick(state, point, &ops);
}

static void db_describe(const void *state, char *text, size_t bytes)
{
	strategy__bounded_describe(state, text, bytes, &ops);
}

const struct explore_strategy strategy_db = {
	.abi = EXPLORE_STRATEGY_ABI,
	.flags = EXPLORE_STRATEGY_F_SEQUENTIAL |
		 EXPLORE_STRATEGY_F_EXHAUSTIVE,
	.name = "db",
	.summary = "every schedule with few delays of a round robin, fewest "
		   "first",
	.paper = "Emmi, Qadeer, Rakamaric: Delay-bounded scheduling, POPL 2011",
	.param = params,
	.state_bytes = db_bytes,
	.init = db_init,
	.begin = strategy__bounded_begin,
	.pick = db_pick,
	.end = strategy__bounded_end,
	.describe = db_describe,
};
