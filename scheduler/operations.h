/* SPDX-License-Identifier: MIT */
/*
 * operations.h - what each kind of operation is. A new kind is one row of the
 * table in operations.c.
 *
 * Pure, and callable in any context.
 */
#ifndef SCHEDULER_OPERATIONS_H
#define SCHEDULER_OPERATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/scheduler.h"

enum operation_flags {
	/*
	 * The task stands at the instruction itself. Of all others the pc lies
	 * behind the call that made the operation.
	 */
	OPERATION_F_AT_INSTRUCTION = 1 << 0,
};

struct operation_kind {
	const char *name;	/* as in traces and summaries: "mutex-lock" */
	uint8_t class;		/* enum sched_class of its object */
	uint8_t flags;		/* enum operation_flags */
};

/* The row of a kind; of one that does not exist, a row named "unknown". */
const struct operation_kind *operation_kind(uint16_t kind);

/* Whether the pc of such an operation is a return address. */
static inline bool operation_is_call(uint16_t kind)
{
	return !(operation_kind(kind)->flags & OPERATION_F_AT_INSTRUCTION);
}

/* What class of object such an operation is about. */
static inline enum sched_class operation_class(uint16_t kind)
{
	return (enum sched_class)operation_kind(kind)->class;
}

#endif /* SCHEDULER_OPERATIONS_H */
