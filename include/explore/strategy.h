/* SPDX-License-Identifier: MIT */
/*
 * strategy.h - what a search strategy must provide, and what it may assume.
 *
 * A strategy answers one question, over and over: "these tasks can run; which
 * goes next?". It never touches threads, files or the target. It sees
 * candidates as an array and returns an index, so each strategy can be tested
 * without starting a process.
 *
 * Where the functions run
 * - new state, begin and end: in the tool, between runs.
 * - pick: in the target, at every scheduling point of a run.
 * The state block lies in memory that both share, at different addresses. So:
 * - the state holds no pointers, neither to itself nor elsewhere;
 * - pick allocates nothing, makes no system call, uses no lock and no
 *   thread-local variable (errno included), and must be fast;
 * - answers depend on the seed, the run number and the points seen, nothing
 *   else: no clock, no address. Repeating a search rests on this.
 *
 * A plug-in is a shared object that exports
 *	const struct explore_strategy explore_strategy;
 * It is loaded in the tool and in the target. See docs/HOWTO_ADD_STRATEGY.md.
 */
#ifndef EXPLORE_STRATEGY_H
#define EXPLORE_STRATEGY_H

#include <stddef.h>
#include <stdint.h>

#include <explore/operation.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bump when a struct below changes meaning or layout. */
#define EXPLORE_STRATEGY_ABI 1u

/* The symbol a plug-in exports. */
#define EXPLORE_STRATEGY_SYMBOL "explore_strategy"

enum explore_point_kind {
	EXPLORE_POINT_TASK = 0,		/* who runs next */
	EXPLORE_POINT_WAKE = 1,		/* which waiter is woken */
	EXPLORE_POINT_VALUE = 2,	/* a number from 0 to nr - 1 */
};

/* One choice to make. Borrowed for the call. */
struct explore_point {
	uint64_t step;		/* 0-based, one more at each point of a run */
	uint32_t kind;		/* enum explore_point_kind */
	uint32_t nr;		/* how many answers there are, >= 1 */
	/* TASK and WAKE: nr candidates, tasks ascending. VALUE: NULL. */
	const struct explore_op *candidate;
	/*
	 * TASK: the index of the task that ran last, when it is among the
	 * candidates; else -1 (it is blocked, gone, or yielded).
	 */
	int32_t previous;
	uint32_t previous_task;	/* its id, candidate or not */
};

struct explore_decision {
	uint32_t index;		/* in [0, nr) */
	uint32_t reserved;	/* 0 */
	/*
	 * TASK: preempt the task after this many ticks of the clock, unless it
	 * comes to its next operation before; 0: let it. It then stands at a
	 * TICK operation, between two instructions. What a tick is, the user
	 * chooses with --clock. Only for EXPLORE_STRATEGY_F_TICKS; else 0.
	 */
	uint64_t ticks;
};

/*
 * `index` of an answer that the replay strategy gives when the run has left
 * the recorded path. No other strategy may give it.
 */
#define EXPLORE_PICK_DIVERGED UINT32_MAX

#define EXPLORE_MAX_PARAMS 8

/* A parameter as typed: --strategy name:key=value,... All are integers. */
struct explore_param {
	const char *name;
	const char *help;	/* one line */
	uint64_t preset;	/* value when not given */
	uint64_t min, max;	/* inclusive */
};

/* What a search is made of; the same for all its runs. */
struct explore_setup {
	uint64_t seed;
	uint64_t max_steps;	/* no run has more points */
	uint32_t max_tasks;	/* task ids are below this */
	uint32_t nr_values;
	uint64_t value[EXPLORE_MAX_PARAMS];	/* in the order of `param` */
};

/* How a run ended. */
struct explore_outcome {
	uint64_t run;		/* the number given to begin() */
	uint64_t steps;
	uint64_t digest;	/* equal digests are equal schedules */
	uint32_t nr_tasks;	/* tasks created in the run */
	uint32_t failed;	/* 0 or 1 */
};

struct explore_strategy {
	uint32_t abi;		/* EXPLORE_STRATEGY_ABI */
	uint32_t flags;		/* enum explore_strategy_flags */
	const char *name;	/* as typed after --strategy */
	const char *summary;	/* one line for `explore strategies` */
	const char *paper;	/* where it comes from, or NULL */
	/* Ends with an entry whose name is NULL; NULL means no parameters. */
	const struct explore_param *param;

	/* Bytes of state this search needs, at least 1. */
	size_t (*state_bytes)(const struct explore_setup *setup);

	/*
	 * Make the state of a fresh search in zeroed, 64-byte aligned memory.
	 */
	void (*init)(void *state, const struct explore_setup *setup);

	/*
	 * Prepare run number `run`. Runs come in ascending order; with several
	 * workers each sees some of the numbers only, so a strategy without
	 * EXPLORE_STRATEGY_F_SEQUENTIAL must derive all it needs from the seed
	 * and the number. Return 1 to run, 0 when the space is exhausted.
	 */
	int (*begin)(void *state, uint64_t run);

	/* Answer a point. Cannot fail. Context: the target, see above. */
	struct explore_decision (*pick)(void *state,
					const struct explore_point *point);

	/* The run is over. Optional: NULL when nothing is learned. */
	void (*end)(void *state, const struct explore_outcome *outcome);

	/*
	 * Describe in at most `bytes` bytes what was covered so far, for the
	 * report: "all schedules with up to 2 preemptions". Optional.
	 */
	void (*describe)(const void *state, char *text, size_t bytes);
};

enum explore_strategy_flags {
	/* Each run builds on the last one's outcome: one worker only. */
	EXPLORE_STRATEGY_F_SEQUENTIAL = 1 << 0,
	/* Gives slices: decisions have ticks. */
	EXPLORE_STRATEGY_F_TICKS = 1 << 1,
	/*
	 * Says that it has run every schedule, or every one within its first
	 * parameter. So nothing may be kept from it: only a task that is proved
	 * to wait is taken to give way.
	 */
	EXPLORE_STRATEGY_F_EXHAUSTIVE = 1 << 2,
	/* The same, where its first parameter is not 0. */
	EXPLORE_STRATEGY_F_MAY_EXHAUST = 1 << 3,
};

#ifdef __cplusplus
}
#endif

#endif /* EXPLORE_STRATEGY_H */
