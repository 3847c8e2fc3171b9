/* SPDX-License-Identifier: MIT */
/*
 * registry.c - the strategies a user may choose by name.
 *
 * A new one is one line here, one in strategies.h and one in meson.build.
 */
#include "strategies/strategies.h"
#include "strategies/internal.h"

static const struct explore_strategy *const all[] = {
	&strategy_portfolio,
	&strategy_random,
	&strategy_pct,
	&strategy_pos,
	&strategy_sites,
	&strategy_dfs,
	&strategy_pb,
	&strategy_db,
	&strategy_rr,
	&strategy_slices,
	NULL,
};

const struct explore_strategy *const *strategies_all(void)
{
	return all;
}

const struct explore_strategy *strategies_find(const char *name)
{
	for (size_t i = 0; all[i]; i++)
		if (strategy__is_equal(all[i]->name, name))
			return all[i];
	return NULL;
}
