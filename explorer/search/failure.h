/* SPDX-License-Identifier: MIT */
/*
 * failure.h - one failing run: kept, replayed, saved.
 */
#ifndef EXPLORER_SEARCH_FAILURE_H
#define EXPLORER_SEARCH_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

#include "explorer/search/plan.h"
#include "explorer/symbols/stacks.h"
#include "explorer/target/worker.h"
#include "recorder/trace.h"

/*
 * One run, kept: its trace and, for the report, the state of the scheduler
 * at its end. Everything is owned.
 */
struct failure {
	struct trace trace;
	struct sched_object *object;
	uint32_t nr_objects;
	struct sched_task *task;
	uint32_t nr_tasks;
	struct stack *stack;	/* of the live tasks; only after a replay */
	uint32_t nr_stacks;
	struct stack earlier;	/* the other access of a race, or no frames */
	char *output;
	size_t output_bytes;
	uint64_t place;		/* place_of_failure() */
	struct control_counters counters;	/* of the run */
};

/* Keep the run that the worker has just finished. Build ids stay empty. */
struct failure *failure_new(struct worker *w, const struct target *target,
			    const struct plan *plan);
void failure_free(struct failure *f);

/*
 * Replay `*f` in `w`. When it does the same again, `*f` is replaced by that
 * run, with the stacks, and has_reproduced is set. Returns 0, or negative with
 * `err` when the worker failed.
 */
int failure_confirm(struct failure **f, struct worker *w,
		    const struct target *target, const struct plan *plan,
		    struct errbuf *err);

/* Save below `traces`; *path (malloc'd) says where. */
int failure_save(struct failure *f, const char *traces, char **path,
		 struct errbuf *err);

#endif /* EXPLORER_SEARCH_FAILURE_H */
