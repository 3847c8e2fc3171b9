/* SPDX-License-Identifier: MIT */
/*
 * internal.h - what search.c, jobs.c and judge.c share; for these three only.
 *
 * Runs are numbered from 0. Runners take the next number, run it and hand in a
 * record (jobs.c); the main thread commits the records in the order of their
 * numbers (judge.c). All that a search says depends on committed records only,
 * so it says the same for every number of jobs: the failure reported is the
 * one with the lowest number, and what other jobs had done beyond it does not
 * count. What runs teach about the accesses is merged in that order, too, and
 * holds for the next generation of runs (learn.h).
 */
#ifndef EXPLORER_SEARCH_INTERNAL_H
#define EXPLORER_SEARCH_INTERNAL_H

#include <pthread.h>
#include <signal.h>

#include "base/util.h"
#include "explorer/races/race_log.h"
#include "explorer/search/learn.h"
#include "explorer/search/search.h"
#include "explorer/symbols/symbols.h"
#include "explorer/target/launch.h"
#include "explorer/target/place.h"
#include "explorer/target/replay.h"
#include "explorer/target/worker.h"

/* Symbols of a region's modules, until these change. */
struct symbol_cache {
	struct symbols *symbols;
	uint64_t modules;	/* their checksum */
};

struct search {
	const struct options *o;
	const struct target *target;
	const struct plan *plan;
	const struct search_observer *observer;
	struct control_config config;
	struct suppressions suppressions;
	struct tally tally;
	struct worker *confirmer;	/* replays failures; or NULL */
	char covered[256];	/* the strategy's own words */
	int status;		/* enum exit_status */
	bool is_done;
	bool follows;		/* the target became another program */
	struct learning learning;	/* changes between generations only */
	struct lesson **lesson;	/* of the committed runs since, by number */
	uint32_t nr_lessons;
	struct worker *replayer;	/* for the stacks of races; or NULL */
	struct symbol_cache symbols;	/* of the first job */

	uint32_t nr_workers;	/* runner[] that have one */
	uint32_t nr_runners;	/* of them, those that run */
	struct runner *runner;
	/* Below: shared with the runners' threads, under `lock`. */
	pthread_mutex_t lock;
	pthread_cond_t handed_in;
	pthread_cond_t committed;
	struct set places;	/* failures that are known */
	uint64_t next;		/* number of the next run */
	uint64_t nr_committed;
	uint64_t generation_end;	/* number of the first run behind it */
	uint32_t nr_active;	/* runners that may still hand in */
	uint32_t window;	/* entries of record[], by number modulo */
	struct record **record;
	bool has_ended;		/* no further number is given out */
};

/* That one run may cost: what kills its target twice would do so again. */
#define SEARCH_MAX_STARTS 2

struct runner {
	struct search *search;
	struct worker *worker;
	struct worker *replayer;	/* for the stacks of races; or NULL */
	struct symbol_cache symbols;
	pthread_t thread;
	int cpu;
};

/* Ends the runs that are under way; read by workers. */
extern volatile sig_atomic_t search__stop_runs;
extern volatile sig_atomic_t search__is_interrupted;

/* ------------------------------------------------------------- search.c */

/* To the observer. Context: the main thread. */
void search__say(const struct search *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --------------------------------------------------------------- jobs.c */

/* Run until the budget is used up or search__commit() has had enough. */
void search__run_alone(struct search *s);
void search__run_together(struct search *s);

/* Merge the lessons so far, and tell all jobs. No run is under way. */
void search__end_generation(struct search *s);

/* -------------------------------------------------------------- judge.c */

/* Whether a run that ended so has failed. */
bool search__is_failure(const struct options *o, uint32_t verdict,
			int32_t code);

/* Take one finished run into account; in the order of their numbers. */
void search__commit(struct search *s, struct record *r);

#endif /* EXPLORER_SEARCH_INTERNAL_H */
