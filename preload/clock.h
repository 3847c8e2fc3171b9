/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the slice that a strategy gave to the running task.
 *
 * A decision may come with ticks: so much of its own code the task may run
 * before it is preempted, unless it comes to its next operation first. With
 * the soft clock a tick is an executed instruction that access_hook() sees,
 * an operation's own included. The preemption is a TICK operation, announced
 * before the instruction behind the last tick that is seen.
 */
#ifndef PRELOAD_CLOCK_H
#define PRELOAD_CLOCK_H

#include "preload/core.h"

/* Soft clock: ticks of the slice that are left; 0: there is no slice. */
extern RUNTIME_HIDDEN uint64_t clock_left;
/* It was used up, and the task has not come to an operation since. */
extern RUNTIME_HIDDEN bool clock_is_over;

/* The task that is resumed may run that long; 0: to its next operation. */
RUNTIME_HIDDEN void clock_start_slice(uint64_t ticks);

/*
 * Preempt the current task, which stands at pc and whose registers are on
 * show: announce a TICK and choose. Context: as core_point().
 */
RUNTIME_HIDDEN void clock_end_slice(uint64_t pc);

/*
 * Whether decisions of this search may have ticks. Then what is counted must
 * be the same in each run.
 */
static inline bool clock_has_slices(void)
{
	return runtime_control->config.flags & CONTROL_F_SLICES;
}

/* An instruction that the soft clock counts is about to be executed. */
static inline void clock_tick(void)
{
	if (clock_left && !--clock_left)
		clock_is_over = true;
}

#endif /* PRELOAD_CLOCK_H */
