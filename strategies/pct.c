/* SPDX-License-Identifier: MIT */
/*
 * pct.c - probabilistic concurrency testing: random priorities, and a few
 * random places where the running task loses its own.
 *
 * Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized scheduler with
 * probabilistic guarantees of finding bugs", ASPLOS 2010.
 *
 * Each task gets a random priority; of those that can run, the highest does.
 * At `depth` - 1 random points out of `steps` the task about to run drops
 * below all others. A bug that needs `depth` orderings among n tasks in a
 * program of k points is hit by a run with a probability of at least
 * 1 / (n k^(depth - 1)).
 *
 * Points. Only those with a choice are counted: dropping a task that is alone
 * does nothing that dropping it at the next choice would not do, so k is
 * smaller and the bound better than with all operations.
 *
 * The length k is not known before a run. Learning it from earlier runs would
 * make an answer depend on which runs this worker happened to see; answers
 * must depend on the seed and the run number alone. So, with steps=0, run r
 * takes lengths[r % 16], powers of two that cover short programs often and
 * long ones now and then. A k off by a factor of two halves the chance of a
 * change point being in the program, or in its part that matters; that one
 * run in three or four has about the right k costs a small constant.
 *
 * Giving way. A task that waits in a loop for another of lower priority would
 * keep it from running for ever. As is usual, a task that yields drops to the
 * bottom; here from its second yield of a run on, so that a program that
 * yields once, to provoke a bug, does not have its order dictated by that.
 */
#include "strategies/strategies.h"
#include "strategies/internal.h"

#define MAX_DEPTH 64
/* Priorities: yielded < change point < at the start. 0: none yet. */
#define PRIORITY_CHANGED (1ull << 62)
#define PRIORITY_START (1ull << 63)

struct task {
	uint64_t priority;
	/* Its announced yield has already cost it its priority. */
	uint32_t has_dropped;
	uint32_t nr_yields;	/* it carried out */
};

struct change {
	uint64_t at;		/* counts points with a choice, from 0 */
	uint64_t priority;	/* to give; from PRIORITY_CHANGED on */
};

struct state {
	uint64_t seed;
	uint64_t steps;
	uint32_t depth;
	uint32_t nr_known;	/* task[] below is of this run */
	uint64_t position;	/* points with a choice so far */
	uint64_t next_low;	/* priority of the next one that yields */
	struct strategy__rng rng;
	uint32_t next_change;
	uint32_t reserved;
	struct change change[MAX_DEPTH - 1];	/* depth - 1, `at` ascending */
	struct task task[];
};

static const uint16_t lengths[16] = {
	16, 32, 8, 64, 16, 128, 32, 8, 256, 16, 64, 32, 1024, 16, 8, 4096,
};

static const struct explore_param params[] = {
	{
		.name = "depth",
		.help = "orderings that the bug needs; depth - 1 priority "
			"changes a run",
		.preset = 3,
		.min = 1,
		.max = MAX_DEPTH,
	},
	{
		.name = "steps",
		.help = "points with a choice that a run has; 0: try powers "
			"of two",
		.preset = 0,
		.min = 0,
		.max = UINT32_MAX,
	},
	{ .name = NULL },
};

static size_t pct_bytes(const struct explore_setup *setup)
{
	return sizeof(struct state) + setup->max_tasks * sizeof(struct task);
}

static void pct_init(void *state, const struct explore_setup *setup)
{
	struct state *s = state;

	s->seed = setup->seed;
	s->depth = (uint32_t)strategy__value(setup, params, 0);
	s->steps = strategy__value(setup, params, 1);
}

static void draw_changes(struct state *s, uint32_t length)
{
	for (uint32_t i = 0; i + 1 < s->depth; i++) {
		struct change c = {
			.at = strategy__rng_below(&s->rng, length),
			.priority = PRIORITY_CHANGED + i,
		};
		uint32_t k = i;

		for (; k && s->change[k - 1].at > c.at; k--)
			s->change[k] = s->change[k - 1];
		s->change[k] = c;
	}
}

static int pct_begin(void *state, uint64_t run)
{
	struct state *s = state;

	strategy__rng_init(&s->rng, s->seed, run);
	s->nr_known = 0;
	s->position = 0;
	s->next_low = PRIORITY_CHANGED - 1;
	s->next_change = 0;
	draw_changes(s, s->steps ? (uint32_t)s->steps : lengths[run % 16]);
	return 1;
}

/* Drawn by a task's number, not when it shows up: no run disturbs another. */
static void meet_tasks(struct state *s, const struct explore_point *point)
{
	uint32_t nr = point->candidate[point->nr - 1].task + 1;

	for (; s->nr_known < nr; s->nr_known++)
		s->task[s->nr_known] = (struct task){
			.priority = strategy__rng_next(&s->rng) |
				    PRIORITY_START,
		};
}

static uint32_t highest(const struct state *s,
			const struct explore_point *point)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < point->nr; i++)
		if (s->task[point->candidate[i].task].priority >
		    s->task[point->candidate[best].task].priority)
			best = i;
	return best;
}

/* The highest after yields and change points have had their effect. */
static uint32_t settle(struct state *s, const struct explore_point *point)
{
	for (;;) {
		uint32_t best = highest(s, point);
		const struct explore_op *op = &point->candidate[best];
		struct task *t = &s->task[op->task];

		if (op->flags & EXPLORE_OP_F_YIELDS && t->nr_yields &&
		    !t->has_dropped) {
			t->has_dropped = 1;
			t->priority = s->next_low--;
		} else if (s->next_change + 1 < s->depth &&
			   s->change[s->next_change].at <= s->position) {
			t->priority = s->change[s->next_change++].priority;
		} else {
			return best;
		}
	}
}

static struct explore_decision pct_pick(void *state,
					const struct explore_point *point)
{
	struct state *s = state;
	const struct explore_op *op;
	uint32_t index = 0;

	if (point->kind != EXPLORE_POINT_TASK)
		return strategy__answer(strategy__rng_below(&s->rng,
							    point->nr));
	meet_tasks(s, point);
	if (point->nr > 1) {
		index = settle(s, point);
		s->position++;
	}
	op = &point->candidate[index];
	s->task[op->task].has_dropped = 0;
	if (op->flags & EXPLORE_OP_F_YIELDS)
		s->task[op->task].nr_yields++;
	return strategy__answer(index);
}

const struct explore_strategy strategy_pct = {
	.abi = EXPLORE_STRATEGY_ABI,
	.name = "pct",
	.summary = "random priorities with a few random changes; for bugs of a "
		   "known depth",
	.paper = "Burckhardt, Kothari, Musuvathi, Nagarakatte: A randomized "
		 "scheduler with probabilistic guarantees of finding bugs, "
		 "ASPLOS 2010",
	.param = params,
	.state_bytes = pct_bytes,
	.init = pct_init,
	.begin = pct_begin,
	.pick = pct_pick,
};
