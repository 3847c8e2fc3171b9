/* SPDX-License-Identifier: MIT */
/*
 * report.h - what a person reads about runs and searches.
 *
 * Everything is printed to a stream that the caller names; nothing is changed.
 */
#ifndef EXPLORER_REPORT_REPORT_H
#define EXPLORER_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "explorer/races/race_log.h"
#include "explorer/search/failure.h"
#include "explorer/search/search.h"
#include "explorer/symbols/symbols.h"
#include "recorder/trace.h"

struct report {
	const struct trace *trace;
	const char *trace_path;	/* where it was saved */
	struct symbols *symbols;
	const struct stack *stack;	/* by task, those alive; may be NULL */
	uint32_t nr_stacks;
	/* The other access of a race; or NULL */
	const struct stack *earlier;
	/* Object table of the run, for "who holds what"; id 1 is [0]. */
	const struct sched_object *object;
	uint32_t nr_objects;
	const struct sched_task *task;
	uint32_t nr_tasks;
	const char *output;	/* of the failing run */
	size_t output_bytes;
	const char *replay_command;
	/* Of the run; or NULL */
	const struct control_counters *counters;
};

/* Print what failed, where, how it came to that, and how to replay it. */
void report_print(FILE *f, const struct report *r);

/* The same of a kept run. `path` NULL: it was not saved. */
void report_failure(FILE *f, const struct failure *failure, const char *path);

#endif /* EXPLORER_REPORT_REPORT_H */
