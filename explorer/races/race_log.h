/* SPDX-License-Identifier: MIT */
/*
 * race_log.h - the data races that runs saw: what they are, and what a person
 * reads about them.
 *
 * A search has one log, which changes between generations of runs only (see
 * learn.h), and each run one of its own for what that does not have. A control
 * region has them in race[]: first those of the search's log, with the same
 * index, then those of the run's. Addresses are in terms of the search's first
 * job, numbers of sites in those of the region.
 */
#ifndef EXPLORER_RACE_LOG_H
#define EXPLORER_RACE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "explorer/races/suppressions.h"
#include "explorer/symbols/stacks.h"
#include "explorer/symbols/symbols.h"
#include "explorer/target/access.h"
#include "preload/region/control.h"

enum race_kind {
	RACE_SHOWN = 0,
	RACE_SAME,	/* the lines of an earlier one: the same to a person */
	RACE_SUPPRESSED,
	RACE_UNSURE,	/* nothing says that it is not between atomics */
};

struct race_entry {
	struct control_race found;
	char *key;		/* the two places; owned */
	enum race_kind kind;
	struct stack later, earlier;	/* without frames: not known */
	char *no_stack;		/* why, or NULL; owned */
	uint32_t number;	/* in the order in which the search met them */
};

struct race_log {
	struct race_entry *entry;	/* of race[], by index */
	uint32_t nr;
	/*
	 * RACE_UNSURE ones, which race[] has no more: their sites count as
	 * atomic from then on, so that whatever they may order is no race
	 * either, and what is found besides is one for sure.
	 */
	struct race_entry *unsure;
	uint32_t nr_unsure;
	uint32_t nr_replayed;	/* for stacks */
	uint32_t nr_atomic_pairs;	/* that were none */
	char *ended_by;		/* key of the race that the run ended by */
};

/* What is needed to judge the races of one run. */
struct race_judge {
	struct control *c;	/* the job's */
	const struct race_log *known;	/* the search's */
	const struct control *home;	/* the first job's */
	struct symbols *symbols;	/* for addresses of `c` */
	const struct access_scope *scope;
	const struct suppressions *suppressions;
	bool is_keep_going;
	/* As race_stacks_find(); may be slow, and is asked a few times only. */
	int (*find_stacks)(void *data, const struct control_race *r,
			   struct stack *later, struct stack *earlier,
			   struct errbuf *err);
	void *data;
};

/*
 * Take in the races that neither the run's log nor j->known has. When one is,
 * or may be, between atomic accesses, its sites are marked, and all these
 * races are dropped: without the order that the atomics make, more is taken
 * for a race. When races are failures, those that are none for another reason
 * are marked. Returns whether a run that ended by a race is to be done again.
 */
bool race_log_judge(struct race_log *log, const struct race_judge *j);

/*
 * The race that the run ended by: a number for its two lines. When its log is
 * merged, all races at these lines become known: later runs do not end by them.
 */
uint64_t race_log_end(struct race_log *log, const struct race_log *known,
		      const struct control *c);

/*
 * Take what is new in a run's log over into the search's, with the stacks that
 * a report wants. j->c is the first job's region; sites are numbered as there.
 */
void race_log_merge(struct race_log *known, struct race_log *log,
		    const struct race_judge *j);

void race_log_release(struct race_log *log);

#endif /* EXPLORER_RACE_LOG_H */
