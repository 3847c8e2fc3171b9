/* SPDX-License-Identifier: MIT */
/*
 * search.h - a search for failures: many runs of one program, each under
 * another schedule, until the budget is used up or enough was found.
 *
 * The search prints nothing. What it finds goes to an observer, always from the
 * thread that called search_run() and in the order of the runs' numbers, so
 * that it is the same for every number of jobs.
 */
#ifndef EXPLORER_SEARCH_SEARCH_H
#define EXPLORER_SEARCH_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explorer/races/race_log.h"
#include "explorer/search/failure.h"
#include "explorer/search/options.h"
#include "explorer/search/plan.h"
#include "explorer/search/tally.h"
#include "explorer/target/access.h"
#include "explorer/target/loaded.h"
#include "explorer/target/target.h"

/* How a search ended. Everything is borrowed, and valid during the call. */
struct search_end {
	const struct options *options;
	const struct plan *plan;
	const char *program;	/* as it was typed */
	const char *path;	/* its file */
	const struct tally *tally;
	const char *covered;	/* the strategy's own words, or "" */
	/* Of the watched accesses; `scope` NULL: none were. */
	const struct access_scope *scope;
	const struct access_stats *accesses;
	const struct control *control;	/* the first job's region */
	uint32_t nr_live;	/* sites that are operations */
	uint32_t nr_atomic_pairs;	/* races that were none */
	const struct loaded *loaded;	/* code that nobody watched */
	const struct race_log *races;	/* NULL: they were not looked for */
	/* NULL: not needed, or there are none */
	struct symbols *symbols;
};

struct search_observer {
	void *data;		/* first argument of each function */
	/* A run was taken into account. */
	void (*progressed)(void *data, const struct tally *t);
	/* What a run printed, with --show-output. */
	void (*printed)(void *data, const char *text, size_t bytes);
	/*
	 * A new failure, replayed and saved at `path`; NULL: it was not saved.
	 */
	void (*failed)(void *data, const struct failure *f, const char *path);
	/* A message for a person: a limit, an error, a decision. */
	void (*said)(void *data, const char *text);
	/* Not called for a search that could not begin, or that follows. */
	void (*ended)(void *data, const struct search_end *end);
};

/*
 * Search as the options say. Returns an enum exit_status; or SEARCH_FOLLOWS,
 * when `target` is another program now, to be searched anew.
 *
 * One search at a time in a process: it catches SIGINT and SIGTERM, which end
 * it. `target` must not be used by others meanwhile.
 */
#define SEARCH_FOLLOWS 256
int search_run(const struct options *o, struct target *target,
	       const struct plan *plan, const struct search_observer *observer);

#endif /* EXPLORER_SEARCH_SEARCH_H */
