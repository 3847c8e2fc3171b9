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
	bool gathers;		/* all tasks come to their work first */
};

/* Chosen by measurement: docs/STRATEGIES.md. */
static const struct line lines[] = {
	{ &strategy_random, 1, 0, 1, false },
	{ &strategy_sites, 0, 0, 1, false },
	{ &strategy_pct, 1, 3, 1, false },
	{ &strategy_pos, 0, 0, 1, true },
	{ &strategy_sites, 0, 0, 1, false },
	{ &strategy_random, 1, 4, 5, false },	/* stay = 4, 8, 16, 32, 64 */
	{ &strategy_random, 1, 0, 1, true },
	{ &strategy_sites, 0, 0, 1, false },
	{ &strategy_pct, 1, 2, 3, true },	/* depth = 2, 4, 8 */
	{ &strategy_pos, 0, 0, 1, false },
};

#define NR_LINES (sizeof(lines) / sizeof(*lines))
#define NO_LINE UINT32_MAX

struct state {
	struct explore_setup setup;	/* the portfolio's own */
	uint32_t line;		/* of this run; NO_LINE: take defaults */
	uint32_t nr_inner;	/* words of inner[] that are the line's */
	uint64_t inner[];	/* state of the line's strategy; then max_tasks
				   operations: the candidates it is shown */
};

static struct explore_setup line_setup(const struct explore_setup *setup,
				       uint32_t line, uint64_t run)
{
	const struct line *l = &lines[line];
	struct explore_setup own = *setup;

	own.seed = strategy__seed(setup->seed, line + 1);
	own.nr_values = l->nr_values;
	own.value[0] = (uint64_t)l->value << run % l->nr_doublings;
	return own;
}

/* What the hungriest line needs. */
static size_t inner_words(const struct explore_setup *setup)
{
	size_t most = 0;

	for (uint32_t i = 0; i < NR_LINES; i++) {
		struct explore_setup own = line_setup(setup, i, 0);
		size_t bytes = lines[i].strategy->state_bytes(&own);

		if (bytes > most)
			most = bytes;
	}
	return (most + sizeof(uint64_t) - 1) / sizeof(uint64_t);
}

static size_t portfolio_bytes(const struct explore_setup *setup)
{
	return sizeof(struct state) + inner_words(setup) * sizeof(uint64_t) +
	       setup->max_tasks * sizeof(struct explore_op);
}

static void portfolio_init(void *state, const struct explore_setup *setup)
{
	struct state *s = state;

	s->setup = *setup;
	s->nr_inner = (uint32_t)inner_words(setup);
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

/*
 * The candidates that start tasks, in s->inner behind the line's state, as a
 * point of their own; false when there are none or no others.
 */
static bool gather(struct state *s, const struct explore_point *point,
		   struct explore_point *starts)
{
	struct explore_op *op = (struct explore_op *)&s->inner[s->nr_inner];

	*starts = *point;
	starts->candidate = op;
	starts->nr = 0;
	starts->previous = -1;
	if (point->kind != EXPLORE_POINT_TASK)
		return false;
	for (uint32_t i = 0; i < point->nr; i++) {
		if (!strategy__is_start(&point->candidate[i]))
			continue;
		if (point->previous == (int32_t)i)
			starts->previous = (int32_t)starts->nr;
		op[starts->nr++] = point->candidate[i];
	}
	return starts->nr && starts->nr < point->nr;
}

static struct explore_decision
portfolio_pick(void *state, const struct explore_point *point)
{
	struct state *s = state;
	const struct explore_strategy *strategy;
	struct explore_point starts;
	struct explore_decision d;
	uint32_t task;

	if (s->line == NO_LINE)
		return strategy__answer(strategy__ranked(point, 0));
	strategy = lines[s->line].strategy;
	if (!lines[s->line].gathers || !gather(s, point, &starts))
		return strategy->pick(s->inner, point);
	d = strategy->pick(s->inner, &starts);
	task = starts.candidate[d.index].task;
	d.index = 0;
	while (point->candidate[d.index].task != task)
		d.index++;
	return d;
}

const struct explore_strategy strategy_portfolio = {
	.abi = EXPLORE_STRATEGY_ABI,
	.name = "portfolio",
	.summary = "the default: a fixed mix of pos, pct, sites and random "
		   "walks",
	.paper = "Huberman, Lukose, Hogg: An economics approach to hard "
		 "computational problems, Science 1997",
	.state_bytes = portfolio_bytes,
	.init = portfolio_init,
	.begin = portfolio_begin,
	.pick = portfolio_pick,
};
