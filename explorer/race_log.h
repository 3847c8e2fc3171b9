/* SPDX-License-Identifier: MIT */
/*
 * race_log.h - the data races that a job of a search saw: what they are, and
 * what a person reads about them.
 *
 * The job's control region has them in race[]; the log has an entry for each,
 * with the same index, and all addresses in terms of the search's first job.
 */
#ifndef EXPLORER_RACE_LOG_H
#define EXPLORER_RACE_LOG_H

#include "explorer/internal.h"
#include "explorer/suppressions.h"

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
};

/* What is needed to judge the races of one run. */
struct race_judge {
	struct control *c;	/* the job's */
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
 * Take in the races from race[log->nr] on, all by one run. When one is, or may
 * be, between atomic accesses, its sites are marked, and all these races are
 * dropped: without the order that the atomics make, more is taken for a race.
 * When races are failures, those that are none for another reason are marked.
 * Returns whether a run that ended by a race is to be done again.
 */
bool race_log_judge(struct race_log *log, const struct race_judge *j);

/*
 * The race that the last run ended by: a number for its two lines. All races at
 * the same lines are known from now on: later runs do not end by them.
 */
uint64_t race_log_end(struct race_log *log, struct control *c);

void race_log_release(struct race_log *log);

/*
 * Print what all the logs have, once per pair of lines, by the number of the
 * run; runs from `end` on do not count.
 */
void race_log_print(FILE *f, struct race_log *const *log, uint32_t nr,
		    uint64_t end, struct symbols *symbols,
		    const struct access_scope *scope);

/*
 * What was raced for: "'counter'", "a heap block of 32 bytes allocated at f()
 * x.c:12, offset 8".
 */
void race_log_describe(struct symbols *symbols, const struct control_race *r,
		       char *text, size_t bytes);

#endif /* EXPLORER_RACE_LOG_H */
