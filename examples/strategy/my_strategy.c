/* SPDX-License-Identifier: MIT */
/*
 * my_strategy.c - a search strategy of your own, as a plug-in.
 *
 * "latecomer": in each run one task, the victim, is held back. The others walk
 * at random and the victim runs only where nobody else can. At some point it
 * is released, and from then on runs whenever it can, until it ends. That
 * finds code that relies on a task having come far enough by now, and code
 * that cannot stand being overtaken by a task that nobody expected any more.
 *
 *	make
 *	explore --strategy ./my_strategy.so ./test
 *	explore --strategy ./my_strategy.so:tasks=3,points=50 ./test
 *
 * Everything that <explore/strategy.h> asks of a strategy is here once: a
 * state without pointers, answers that follow from seed and run number, no
 * call of any library.
 */
#include <explore/strategy.h>

struct state {
	uint64_t seed;
	uint64_t tasks;
	uint64_t points;
	/* The run: */
	uint64_t random;	/* generator's state, never 0 */
	uint64_t release;	/* step from which the victim goes first */
	uint32_t victim;
};

enum { TASKS, POINTS };

static const struct explore_param params[] = {
	[TASKS] = {
		.name = "tasks",
		.help = "the victim is one of the first so many tasks",
		.preset = 4,
		.min = 1,
		.max = 4096,
	},
	[POINTS] = {
		.name = "points",
		.help = "it is released within so many points",
		.preset = 100,
		.min = 1,
		.max = 1000000,
	},
	{ .name = NULL },
};

/* xorshift64*: short, and good enough to toss coins. */
static uint64_t next_random(struct state *s)
{
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return s->random * 0x2545f4914f6cdd1dull;
}

static uint32_t below(struct state *s, uint64_t nr)
{
	return (uint32_t)((next_random(s) >> 32) % nr);
}

static size_t state_bytes(const struct explore_setup *setup)
{
	(void)setup;
	return sizeof(struct state);
}

static void init(void *state, const struct explore_setup *setup)
{
	struct state *s = state;

	s->seed = setup->seed;
	s->tasks = setup->value[TASKS];
	s->points = setup->value[POINTS];
}

/* All that a run needs follows from the seed and its number. */
static int begin(void *state, uint64_t run)
{
	struct state *s = state;

	s->random = (s->seed * 0x9e3779b97f4a7c15ull + run + 1) *
		    0xbf58476d1ce4e5b9ull;
	s->random |= 1;
	for (int i = 0; i < 8; i++)	/* so that near seeds part */
		next_random(s);
	s->victim = below(s, s->tasks);
	s->release = below(s, s->points);
	return 1;	/* there is always another run */
}

/* The victim's index among the candidates, or nr. */
static uint32_t find_victim(const struct state *s,
			    const struct explore_point *point)
{
	uint32_t i = 0;

	while (i < point->nr && point->candidate[i].task != s->victim)
		i++;
	return i;
}

static struct explore_decision pick(void *state,
				    const struct explore_point *point)
{
	struct state *s = state;
	struct explore_decision d = { .index = below(s, point->nr) };
	uint32_t victim;

	if (point->kind != EXPLORE_POINT_TASK || point->nr == 1)
		return d;
	victim = find_victim(s, point);
	if (victim == point->nr)
		return d;
	if (point->step >= s->release &&
	    !(point->candidate[victim].flags & EXPLORE_OP_F_YIELDS)) {
		d.index = victim;
		return d;
	}
	/* Any other one. */
	d.index = below(s, point->nr - 1);
	d.index += d.index >= victim;
	return d;
}

/* What explore looks for in a plug-in. */
__attribute__((visibility("default")))
const struct explore_strategy explore_strategy = {
	.abi = EXPLORE_STRATEGY_ABI,
	.name = "latecomer",
	.summary = "hold one task back, then let it go",
	.param = params,
	.state_bytes = state_bytes,
	.init = init,
	.begin = begin,
	.pick = pick,
};
