/* SPDX-License-Identifier: MIT */
/*
 * tally.h - what a search has come to so far, in numbers.
 */
#ifndef EXPLORER_SEARCH_TALLY_H
#define EXPLORER_SEARCH_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "preload/region/control.h"

struct failure;
struct lesson;

/* How one run went, apart from its schedule. */
struct record {
	enum record_kind {
		RECORD_RAN = 0,
		RECORD_EXHAUSTED,	/* the strategy has no more to try */
		RECORD_STOPPED,		/* Ctrl-C */
		RECORD_BROKEN,		/* no control any more; see `err` */
	} kind;
	uint64_t run;
	uint64_t steps;
	uint64_t digest;
	uint32_t nr_tasks;
	uint32_t verdict;	/* enum control_verdict_kind */
	int32_t code;
	bool has_choices;	/* some point had more than one answer */
	/* Verdict EXEC: control->exec says all of what it would become. */
	bool is_followable;
	bool has_known_race;	/* met one that was reported as a failure */
	uint64_t place;		/* place_of_failure(), iff it failed */
	struct failure *failure;	/* kept for the report; or NULL */
	char *output;		/* with --show-output; or NULL */
	size_t output_bytes;
	struct lesson *lesson;	/* of the accesses; or NULL; owned */
	uint64_t nr_ops[EXPLORE_OP_NR];
	struct control_counters counters;
	struct errbuf err;
};

/* A set of numbers. */
struct set {
	uint64_t *slot;		/* 0: free */
	size_t capacity;	/* a power of two, or 0 */
	size_t nr;
};

/* Returns true when it was not yet in. */
bool set_add(struct set *s, uint64_t value);
bool set_has(const struct set *s, uint64_t value);
void set_release(struct set *s);

/* What a search has come to so far. */
struct tally {
	struct set digests;	/* distinct schedules */
	uint64_t runs;
	uint64_t steps;
	uint64_t max_steps;	/* longest schedule */
	uint32_t max_tasks;
	uint64_t failures;	/* failing runs */
	uint64_t distinct_failures;
	uint64_t over_limit;	/* runs cut off by --max-steps */
	uint64_t nr_ops[EXPLORE_OP_NR];
	struct control_counters counters;	/* summed */
	uint64_t start_ns;	/* real time */
	uint64_t paused_ns;	/* real time that went into reports */
	bool is_exhausted;
	bool is_interrupted;
	bool is_broken;		/* ended by an error, not by its budget */
};

void tally_add(struct tally *t, const struct record *r);

#endif /* EXPLORER_SEARCH_TALLY_H */
