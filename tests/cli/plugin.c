/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - strategies from outside, good and bad. PLUGIN_KIND says which:
 * 0 good (always the first candidate), 1 of another ABI, 2 without the symbol,
 * 3 with an answer out of range, 4 that asks for too much memory, 5 without a
 * function it must have.
 */
#include <explore/strategy.h>

static size_t state_bytes(const struct explore_setup *setup)
{
	(void)setup;
	return PLUGIN_KIND == 4 ? (size_t)1 << 40 : 1;
}

static void init(void *state, const struct explore_setup *setup)
{
	(void)state;
	(void)setup;
}

static int begin(void *state, uint64_t run)
{
	(void)state;
	return run < 3;
}

static struct explore_decision pick(void *state,
				    const struct explore_point *point)
{
	struct explore_decision d = { .index = 0 };

	(void)state;
	if (PLUGIN_KIND == 3 && point->step == 4)
		d.index = point->nr;
	return d;
}

static const struct explore_param param[] = {
	{ "level", "does nothing", 1, 0, 9 },
	{ NULL, NULL, 0, 0, 0 },
};

#if PLUGIN_KIND == 2
#define SYMBOL not_the_symbol
#else
#define SYMBOL explore_strategy
#endif

extern const struct explore_strategy SYMBOL;
const struct explore_strategy SYMBOL = {
	.abi = EXPLORE_STRATEGY_ABI + (PLUGIN_KIND == 1),
	.name = "plugin",
	.summary = "for tests",
	.param = param,
	.state_bytes = state_bytes,
	.init = init,
	.begin = begin,
	.pick = PLUGIN_KIND == 5 ? NULL : pick,
};
