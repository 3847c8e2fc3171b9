/* SPDX-License-Identifier: MIT */
/*
 * learn.h - what runs show of the accesses, merged by generations of runs.
 *
 * A run may use the seed, its number, and what the generations before showed,
 * nothing else: so it does the same whichever job does it, and after which
 * others. What a run shows is a lesson. Lessons are merged in the order of the
 * runs' numbers when a generation is over, and told to all jobs before the next
 * one begins.
 *
 * Addresses are in terms of the home region, the first job's. Instructions have
 * the same site numbers in all regions of a target, calls (see control.h) their
 * own: in a run, those of earlier generations come first, in one order for all.
 */
#ifndef EXPLORER_LEARN_H
#define EXPLORER_LEARN_H

#include "explorer/races/race_log.h"
#include "explorer/search/plan.h"
#include "explorer/search/tally.h"

/* How many runs the generation has that begins with run number `first`. */
uint64_t learn_generation(const struct plan *plan, uint64_t first);

/* Flags of the run of that number, beside those of its search. */
uint32_t learn_run_flags(const struct plan *plan, uint64_t run);

/* What one run showed beyond what was known. */
struct lesson {
	struct lesson_site {
		uint64_t addr;	/* as access[] has it */
		uint32_t site;	/* its number in the run's region */
		uint8_t state;	/* enum control_access_state */
	} *site;
	uint32_t nr_sites;
	uint64_t *call;		/* the calls it met first, by their last byte */
	uint32_t nr_calls;
	uint32_t nr_atomic_pairs;
	struct race_log races;
	struct failure *run;	/* for stacks of the races; or NULL */
};

void lesson_release(struct lesson *l);

struct learning {
	const struct control *home;
	bool unpatches;		/* private sites are not watched */
	uint8_t *state;		/* by site: enum control_access_state */
	uint32_t *nr_hot;	/* by site: runs that had it hot */
	uint64_t *call;
	uint32_t nr_calls;
	uint32_t nr_private;
	uint32_t nr_live;
	uint32_t nr_atomic_pairs;
	uint32_t private_version;
	struct race_log races;
	bool has_news;		/* since it was last told */
	bool has_new_code;
};

/* `home` is borrowed until learn_release(). */
void learn_init(struct learning *k, const struct control *home,
		const struct plan *plan);
void learn_release(struct learning *k);

/* The run that `c` has just finished; l->races is filled already. */
void lesson_take(struct lesson *l, const struct learning *k,
		 const struct control *c);

/*
 * Merge one run's lesson. Afterwards, with learn_end_generation(), draw the
 * conclusions: returns how many sites became live. `j` as in race_log_merge().
 */
void learn_merge(struct learning *k, struct lesson *l,
		 const struct race_judge *j);
uint32_t learn_end_generation(struct learning *k);

/* Have the runs of `c` begin with what is known. No run is under way there. */
void learn_tell(const struct learning *k, struct control *c);

#endif /* EXPLORER_LEARN_H */
