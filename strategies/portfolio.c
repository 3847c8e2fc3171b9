/* SPDX-License-Identifier: MIT */
/*
 * portfolio.c - a fixed mix of the random strategies; the default.
 *
 * No one of them is best for all bugs. The plain walk is, in short programs,
 * for bugs where tasks must alternate at several places; pos is nearly as good
 * there, and holds a task back for long where that is needed; pct and the
 * walks that stay find what needs one task to do much while another does
 * little, which the plain walk misses the more surely the longer a program is;
 * sites is for crowds of tasks that run the same code.
 * A mix needs at most as many times the runs of the best one, whichever that
 * is, as that one's share of the runs says: Huberman, Lukose and Hogg, "An
 * economics approach to hard computational problems", Science 275, 1997.
 *
 * Run 0 is the schedule without preemption, what a user sees when nothing goes
 * wrong. Run r >= 1 belongs to line (r - 1) % NR_LINES of the table below, and
 * is that line's run number (r - 1) / NR_LINES, with a seed of the line's own.
 * So the mix too depends on the seed and the run number only.
 */
#include "strategies/strategies.h"
#include "strategies/internal.h"

struct line {
	const struct explore_strategy *strategy;
	uint32_t nr_values;
	uint32_t value;		/* of the first parameter; presets behind it */
	uint32_t nr_doublings;	/* run number i takes value << i % this */
};

/* Chosen by measurement: docs/STRATEGIES.md. */
static const struct line lines[] = {
	{ &strategy_random, 1, 0, 1 },
	{ &strategy_pos, 0, 0, 1 },
	{ &strategy_pct, 1, 3, 1 },
	{ &strategy_random, 1, 0, 1 },
	{ &strategy_sites, 0, 0, 1 },
	{ &strategy_random, 1, 4, 5 },	/* stay = 4, 8, 16, 32, 64 */
	{ &strategy_pos, 0, 0, 1 },
	{ &strategy_pct, 1, 2, 3 },	/* depth = 2, 4, 8 */
	{ &strategy_random, 1, 0, 1 },
	{ &strategy_sites, 0, 0, 1 },
};

#define NR_LINES (sizeof(lines) / sizeof(*lines))
#define NO_LINE UINT32_MAX

struct state {
	struct explore_setup setup;	/* the portfolio's own */
	uint32_t line;		/* of this run; NO_LINE: take defaults */
	uint32_t reserved;
	uint64_t inner[];	/* state of the line's strategy */
};

static struct explore_setup line_setup(const struct explore_setup *setup,
				       uint32_t line, uint64_t run)
{
	const struct line *l = &lines[line];
	struct explore_setup own = *setup;

	own.seed = strategy__mix(setup->seed + line + 1);
	own.nr_values = l->nr_values;
	own.value[0] = (uint64_t)l->value << run % l->nr_doublings;
	return own;
}

static size_t portfolio_bytes(const struct explore_setup *setup)
{
	size_t most = 0;

	for (uint32_t i = 0; i < NR_LINES; i++) {
		struct explore_setup own = line_setup(setup, i, 0);
		size_t bytes = lines[i].strategy->state_bytes(&own);

		if (bytes > most)
			most = bytes;
	}
	return sizeof(struct state) + most;
}

static void portfolio_init(void *state, const struct explore_setup *setup)
{
	struct state *s = state;

	s->setup = *setup;
}

static int portfolio_begin(void *state, uint64_t run)
{
	struct state *s = state;
	const struct explore_strategy *strategy;
	struct explore_setup own;

	if (!run) {
		s->line = NO_LINE;
		return 1;
	}
	s->line = (uint32_t)((run - 1) % NR_LINES);
	run = (run - 1) / NR_LINES;
	own = line_setup(&s->setup, s->line, run);
	strategy = lines[s->line].strategy;
	/* Another line's leftovers do not matter: begin() makes all anew. */
	strategy->init(s->inner, &own);
	return strategy->begin(s->inner, run);
}

static struct explore_decision
portfolio_pick(void *state, const struct explore_point *point)
{
	struct state *s = state;

	if (s->line == NO_LINE)
		return strategy__answer(strategy__ranked(point, 0));
	return lines[s->line].strategy->pick(s->inner, point);
}

const struct explore_strategy strategy_portfolio = {
	.abi = EXPLORE_STRATEGY_ABI,
	.name = "portfolio",
	.summary = "the default: a fixed mix of pos, pct, sites and random walks",
	.paper = "Huberman, Lukose, Hogg: An economics approach to hard "
		 "computational problems, Science 1997",
	.state_bytes = portfolio_bytes,
	.init = portfolio_init,
	.begin = portfolio_begin,
	.pick = portfolio_pick,
};
