/* SPDX-License-Identifier: MIT */
/*
 * plan.h - which strategy, with which parameters and which clock.
 */
#ifndef EXPLORER_SEARCH_PLAN_H
#define EXPLORER_SEARCH_PLAN_H

#include <stdbool.h>

#include "base/errbuf.h"
#include "explorer/search/options.h"
#include "preload/region/control.h"

#include <explore/strategy.h>

/* A strategy, found or loaded, with its parameters. */
struct plan {
	char *spec;		/* as typed */
	const struct explore_strategy *strategy;
	struct explore_setup setup;
	void *handle;		/* dlopen() of a plug-in, or NULL */
	char *plugin;		/* its absolute path, or NULL */
	struct control_clock clock;
	bool watches;		/* accesses: the clock is the soft one */
	const char *warning;	/* about the clock, for a person; or NULL */
};

/*
 * Returns 0, or negative with `err` filled (unknown name or parameter, plug-in
 * that cannot be used): the caller exits with status 2.
 */
int plan_init(struct plan *p, const struct options *o, struct errbuf *err);
void plan_release(struct plan *p);

/*
 * Choose the clock: after plan_init(). Returns 0, or negative with `err`
 * filled: this machine does not have it (status 3).
 */
int plan_choose_clock(struct plan *p, const struct options *o,
		      struct errbuf *err);

/* What every run of this search is told; the run number is left 0. */
void plan_configure(const struct plan *p, const struct options *o,
		    struct control_config *config);

/*
 * Make the strategy's state in a worker's fresh region. Returns 0, or -E2BIG
 * with `err` filled.
 */
int plan_start(const struct plan *p, struct control *c, struct errbuf *err);

#endif /* EXPLORER_SEARCH_PLAN_H */
