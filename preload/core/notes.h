/* SPDX-License-Identifier: MIT */
/*
 * notes.h - what a report says of a run that is no operation: files by name,
 * cancellations, what a child was born with.
 *
 * Only in the replay that confirms a failure, like values. Nothing depends on
 * a note.
 */
#ifndef PRELOAD_NOTES_H
#define PRELOAD_NOTES_H

#include "preload/core/runtime.h"

struct trap;

static inline bool notes_is_on(void)
{
	return __builtin_expect(runtime_control->config.flags &
				CONTROL_F_VALUES, 0);
}

RUNTIME_HIDDEN void notes_start_run(void);

/*
 * Around a system call: the first before it is made, the second with its
 * result, in the process that made it.
 */
RUNTIME_HIDDEN void notes_before(struct control_note *n, const struct trap *t);
RUNTIME_HIDDEN void notes_after(struct control_note *n, const struct trap *t,
				int64_t result);

/* The last operation of this task gives the block back. */
RUNTIME_HIDDEN void notes_free(uint64_t addr, uint64_t block_pc);

/*
 * The C library may act on a cancellation now, and then it does not return;
 * with pc 0 the place is that of the task's system call. The second takes it
 * back, if it was made.
 */
RUNTIME_HIDDEN void notes_cancelled(uint64_t pc);
RUNTIME_HIDDEN void notes_not_cancelled(void);

/* The last operation of this task, a join, found that result. */
RUNTIME_HIDDEN void notes_joined_cancelled(void);

/* This task is about to make a process: what others hold. */
RUNTIME_HIDDEN void notes_fork(const struct trap *t);

#endif /* PRELOAD_NOTES_H */
