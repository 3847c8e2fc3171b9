/* SPDX-License-Identifier: MIT */
/*
 * approach.h - how to stop a task exactly at the k-th tick of a counter.
 *
 * A counter's overflow signal comes late, by some ticks that nobody can tell
 * beforehand: the skid. So the counter is made to overflow early, by a margin
 * that skids stay below, and the rest of the way is gone in small steps. The
 * first time the place is not known: single steps, until the tick is counted.
 * In a replay it is: a breakpoint there, until the count is right.
 *
 * Pure: no counter is touched here. The caller tells counts and does what the
 * answers say; see clock.c.
 */
#ifndef PRELOAD_APPROACH_H
#define PRELOAD_APPROACH_H

#include <stdbool.h>
#include <stdint.h>

enum approach_what {
	APPROACH_RUN,		/* until the counter overflows, see period */
	APPROACH_STEP,		/* one instruction */
	APPROACH_BREAK,		/* until the known place is reached */
	APPROACH_ARRIVED,	/* right behind the target-th tick */
	APPROACH_MISSED,	/* beyond the target, which must not change */
};

struct approach {
	uint64_t target;	/* ticks from the start of the slice */
	uint64_t count;		/* ticks so far, as last told */
	uint64_t margin;	/* ticks; at least 1 */
	uint64_t period;	/* RUN: overflow after so many more ticks */
	bool knows_place;
};

/* The slice begins, no tick is counted yet; target >= 1. */
enum approach_what approach_begin(struct approach *a, uint64_t target,
				  uint64_t margin, bool knows_place);

/*
 * The counter has overflowed, and the task stands at `count` ticks; is_there
 * tells whether that is the known place. When the skid was beyond the margin
 * and the place is not known yet, the target moves on to the next tick: there
 * it can be found again.
 */
enum approach_what approach_overflow(struct approach *a, uint64_t count,
				     bool is_there);

/* One instruction was executed, a tick or not. */
enum approach_what approach_stepped(struct approach *a, bool is_tick);

/*
 * A call was executed as one step, with `ticks` inside. The place behind it is
 * the first that the task can stop at, so the target moves on to there.
 */
enum approach_what approach_passed(struct approach *a, uint64_t ticks);

/* The known place was reached, at `count` ticks. */
enum approach_what approach_reached(struct approach *a, uint64_t count);

#endif /* PRELOAD_APPROACH_H */
