/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the slice that a strategy gave to the running task.
 *
 * A decision may come with ticks: so much of its own code the task may run
 * before it is preempted, unless it comes to its next operation first. The
 * preemption is a TICK operation.
 *
 * Soft clock: a tick is an executed instruction that access_hook() sees, an
 * operation's own included; the task stands before the next such instruction.
 * A counter: a tick is an event of the processor in code of the target, and
 * the task stands exactly behind it, at whatever instruction.
 */
#ifndef PRELOAD_CLOCK_H
#define PRELOAD_CLOCK_H

#include "preload/kernel/traps.h"

/* Soft clock: ticks of the slice that are left; 0: there is no slice. */
extern RUNTIME_HIDDEN uint64_t clock_left;
/* It was used up, and the task has not come to an operation since. */
extern RUNTIME_HIDDEN bool clock_is_over;

/* In the run's process, before its first choice. */
RUNTIME_HIDDEN void clock_start_run(void);

/* The task that is resumed may run that long; 0: to its next operation. */
RUNTIME_HIDDEN void clock_start_slice(uint64_t ticks);

/*
 * Soft clock: preempt the current task, which stands at pc and whose registers
 * are on show: announce a TICK and choose. Context: as core_point().
 */
RUNTIME_HIDDEN void clock_end_slice(uint64_t pc);

/* A SIGTRAP: whether it was the counter's, and is dealt with. */
RUNTIME_HIDDEN bool clock_trap(const struct signals_info *info,
			       struct ucontext *uc);

/* Whether the task is single-stepped to the end of its slice. */
RUNTIME_HIDDEN bool clock_is_stepping(void);

/* A system call was trapped in that context: what stepping left in it. */
RUNTIME_HIDDEN void clock_fix_syscall(struct sigcontext *m);

/*
 * Whether decisions of this search may have ticks. Then what is counted must
 * be the same in each run.
 */
static inline bool clock_has_slices(void)
{
	return runtime_control->config.flags & CONTROL_F_SLICES;
}

/* Whether the clock is a counter, whose events cost signals. */
static inline bool clock_is_counter(void)
{
	return runtime_control->config.clock.kind != CONTROL_CLOCK_SOFT;
}

/* An instruction that the soft clock counts is about to be executed. */
static inline void clock_tick(void)
{
	if (clock_left && !--clock_left)
		clock_is_over = true;
}

/* ------------------------------------------ entry.S, with a counter only */

/* Handlers of SIGSYS and of the other signals, which stop the counter. */
RUNTIME_HIDDEN void clock_entry_sigsys(void);
RUNTIME_HIDDEN void clock_entry_signal(void);
/* The end of their code, and what they call last: nothing else does. */
RUNTIME_HIDDEN extern const char clock_entry_end[], clock_ioctl[],
	clock_ioctl_end[];
/* What the current task executes. A signal can come within a handler, too. */
enum clock_place {
	CLOCK_IN_HANDLER = 0,	/* of ours */
	CLOCK_IN_TARGET = 1,
	CLOCK_IN_TARGET_COUNTED = 2,	/* and the counter runs */
};
extern RUNTIME_HIDDEN uint32_t clock_place;
struct clock_exit {
	/* The ioctl that leaves the counter as it must be */
	uint32_t request;
	uint32_t place;		/* what clock_place becomes */
};
/*
 * The handler is about to return to `uc`, where the task was at `place` when
 * the signal came.
 */
RUNTIME_HIDDEN struct clock_exit clock_leave(struct ucontext *uc,
					     uint32_t place);

#endif /* PRELOAD_CLOCK_H */
