/* SPDX-License-Identifier: MIT */
/*
 * cmd_strategies.c - `explore strategies`: what --strategy takes.
 */
#include "explorer/cli/commands.h"

#include "explorer/cli/options.h"
#include "strategies/strategies.h"

#include "base/util.h"
#include "explorer/cli/message.h"
#include "explorer/search/plan.h"

static void print_parameters(const struct explore_strategy *s)
{
	for (const struct explore_param *p = s->param; p && p->name; p++) {
		printf("             %s=%llu", p->name,
		       (unsigned long long)p->preset);
		if (p->max == UINT64_MAX)
			printf(" (from %llu)", (unsigned long long)p->min);
		else
			printf(" (%llu to %llu)", (unsigned long long)p->min,
			       (unsigned long long)p->max);
		printf("  %s\n", p->help);
	}
}

int cmd_strategies(const struct options *o)
{
	const struct explore_strategy *const *all = strategies_all();

	(void)o;
	for (size_t i = 0; all[i]; i++) {
		printf("%-11s  %s%s\n", all[i]->name, all[i]->summary,
		       i ? "" : " (the default)");
		print_parameters(all[i]);
		if (all[i]->paper)
			printf("             after: %s\n", all[i]->paper);
	}
	printf("\nA plug-in: --strategy ./FILE.so[:KEY=N,...]; see "
	       "docs/HOWTO_ADD_STRATEGY.md.\n");
	return EXIT_NOTHING_FOUND;
}
