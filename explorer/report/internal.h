/* SPDX-License-Identifier: MIT */
/*
 * internal.h - the parts of the report on a failure, for report*.c only.
 */
#ifndef EXPLORER_REPORT_INTERNAL_H
#define EXPLORER_REPORT_INTERNAL_H

#include <stdio.h>

#include "explorer/report/describe.h"
#include "explorer/report/report.h"
#include "explorer/symbols/stacks.h"

struct report_context {
	FILE *f;
	const struct report *r;
	struct describe d;
};

/* report_tasks.c: who holds what and waits for what, with stacks. */
void report__print_tasks(struct report_context *c);

/* report_stack.c: one task's stack; nothing when there is none. */
void report__print_stack(struct report_context *c, uint32_t task);
/*
 * One stack, the innermost frame behind the prefix and its callers below. An
 * exit has none where there is no code that a person wrote.
 */
void report__print_frames(struct report_context *c, const struct stack *stack,
			  const char *prefix);
/* Where the run failed, in code that a person wrote, or "". */
void report__failing_place(struct report_context *c, char *text,
			   size_t bytes);

/* report_schedule.c: the end of the schedule, one column a task. */
void report__print_schedule(struct report_context *c);

/* "T1", "T1 and T2", "T1, T2 and T3". */
void report__list_tasks(const uint32_t *task, uint32_t nr, char *text,
			size_t bytes);

#endif /* EXPLORER_REPORT_INTERNAL_H */
