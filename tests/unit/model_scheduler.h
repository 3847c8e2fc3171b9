/* SPDX-License-Identifier: MIT */
/*
 * model_scheduler.h - a model (enumerator.h) on top of the real scheduler.
 *
 * What the runtime does for a target is done here for a model: announce each
 * task's next operation, let scheduler_next() choose, tell the scheduler what
 * the operation did to its object.
 */
#ifndef TESTS_UNIT_MODEL_SCHEDULER_H
#define TESTS_UNIT_MODEL_SCHEDULER_H

#include "tests/unit/enumerator.h"

struct model_scheduler;

struct model_scheduler *model_scheduler_new(uint64_t max_steps);

/* Accepts NULL. */
void model_scheduler_free(struct model_scheduler *ms);

/* One run; the costs in `out` are those that the scheduler counts. */
void model_scheduler_run(struct model_scheduler *ms, const struct model *m,
			 const struct explore_strategy *strategy, void *state,
			 struct schedule *out);

#endif /* TESTS_UNIT_MODEL_SCHEDULER_H */
