/* SPDX-License-Identifier: MIT */
/*
 * scheduler_fixture.h - a scheduler on its own, for test_scheduler_*.c.
 *
 * The strategy of these tests does as the test says: it picks fx->want. Every
 * helper that changes the model checks all its invariants afterwards.
 */
#ifndef TESTS_UNIT_SCHEDULER_FIXTURE_H
#define TESTS_UNIT_SCHEDULER_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scheduler/internal.h"
#include "scheduler/valid.h"
#include "scheduler/objects.h"

#define FX_MAX_STEPS 4096
#define FX_OP_COST 10
#define FX_ANY UINT32_MAX	/* want: whoever comes first */

struct fixture {
	struct scheduler *s;
	struct scheduler_config config;
	struct scheduler_env env;
	struct sched_event log[FX_MAX_STEPS];
	/* What the strategy answers: a task (TASK, WAKE) or number (VALUE). */
	uint32_t want;
	uint32_t raw_index;	/* when not 0: this index instead */
	uint64_t nr_asked;
	struct explore_point point;	/* the last one, and who was in it */
	struct explore_op candidate[SCHED_MAX_TASKS];
};

static inline struct explore_decision
fx_pick(void *state, const struct explore_point *point)
{
	struct fixture *fx = state;
	struct explore_decision d = { 0 };

	fx->nr_asked++;
	fx->point = *point;
	if (point->candidate)
		memcpy(fx->candidate, point->candidate,
		       point->nr * sizeof(fx->candidate[0]));
	if (fx->raw_index) {
		d.index = fx->raw_index;
		return d;
	}
	if (point->kind == EXPLORE_POINT_VALUE) {
		d.index = fx->want;
		return d;
	}
	if (fx->want == FX_ANY)
		return d;
	while (d.index < point->nr &&
	       point->candidate[d.index].task != fx->want)
		d.index++;
	return d;
}

static const struct explore_strategy fx_strategy = {
	.abi = EXPLORE_STRATEGY_ABI,
	.name = "fixture",
	.pick = fx_pick,
};

static inline void fx_check(const struct fixture *fx)
{
	assert_true(scheduler_is_valid(fx->s));
}

static inline void fx_init(struct fixture *fx)
{
	scheduler_init(fx->s, &fx->config);
	fx_check(fx);
}

static inline int fx_setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	if (!fx)
		return -1;
	fx->s = calloc(1, sizeof(*fx->s));
	if (!fx->s) {
		free(fx);
		return -1;
	}
	fx->config.max_steps = FX_MAX_STEPS;
	fx->config.op_cost_ns = FX_OP_COST;
	fx->env.strategy = &fx_strategy;
	fx->env.state = fx;
	fx->env.log = fx->log;
	fx->want = FX_ANY;
	fx_init(fx);
	*state = fx;
	return 0;
}

static inline int fx_teardown(void **state)
{
	struct fixture *fx = *state;

	free(fx->s);
	free(fx);
	return 0;
}

#define FX_TEST(name) \
	cmocka_unit_test_setup_teardown(name, fx_setup, fx_teardown)

static inline uint32_t fx_task(struct fixture *fx)
{
	int t = scheduler_task_new(fx->s, 0, 0);

	assert_true(t >= 0);
	fx_check(fx);
	return (uint32_t)t;
}

static inline void fx_tasks(struct fixture *fx, uint32_t nr)
{
	while (nr--)
		fx_task(fx);
}

static inline void fx_exit(struct fixture *fx, uint32_t t)
{
	scheduler_task_exit(fx->s, t);
	fx_check(fx);
}

static inline uint32_t fx_object(struct fixture *fx, enum sched_class class,
				 uint64_t addr)
{
	uint32_t id = scheduler_object_id(fx->s, class, addr, 0);

	assert_int_not_equal(id, 0);
	fx_check(fx);
	return id;
}

static inline void fx_announce(struct fixture *fx, uint32_t t,
			       const struct sched_announce *a)
{
	scheduler_announce(fx->s, t, a);
	fx_check(fx);
}

/* Task t is at an operation of that kind on that object. */
static inline void fx_at(struct fixture *fx, uint32_t t, uint16_t kind,
			 uint32_t object)
{
	fx_announce(fx, t, &(struct sched_announce){ .kind = kind,
						     .object = object });
}

/* The same with a deadline, on whatever the kind needs. */
static inline void fx_until(struct fixture *fx, uint32_t t, uint16_t kind,
			    uint32_t object, uint64_t deadline_ns)
{
	fx_announce(fx, t,
		    &(struct sched_announce){ .kind = kind,
					      .object = object,
					      .deadline_ns = deadline_ns });
}

static inline enum sched_result fx_next(struct fixture *fx)
{
	enum sched_result result = scheduler_next(fx->s, &fx->env);

	fx_check(fx);
	return result;
}

/* A step in which t is to be picked. */
static inline void fx_run(struct fixture *fx, uint32_t t)
{
	fx->want = t;
	assert_int_equal(fx_next(fx), SCHED_RUN);
	assert_int_equal(fx->s->current, t);
	fx->want = FX_ANY;
}

static inline void fx_yield(struct fixture *fx, uint32_t t)
{
	scheduler_yielded(fx->s, t, false);
	fx_check(fx);
}

static inline bool fx_enabled(const struct fixture *fx, uint32_t t)
{
	return scheduler_is_enabled(fx->s, t);
}

/* Whether t was among the candidates of the last point. */
static inline bool fx_offered(const struct fixture *fx, uint32_t t)
{
	for (uint32_t i = 0; i < fx->point.nr; i++)
		if (fx->candidate[i].task == t)
			return true;
	return false;
}

static inline const struct sched_event *fx_last(const struct fixture *fx)
{
	assert_true(fx->s->step > 0);
	return &fx->log[fx->s->step - 1];
}

static inline void fx_wait(struct fixture *fx, uint32_t id, uint32_t t)
{
	scheduler_wait(fx->s, id, t, UINT32_MAX);
	fx_check(fx);
}

static inline void fx_acquire(struct fixture *fx, uint32_t id, uint32_t t)
{
	scheduler_acquire(fx->s, id, t);
	fx_check(fx);
}

static inline void fx_release(struct fixture *fx, uint32_t id)
{
	scheduler_release(fx->s, id);
	fx_check(fx);
}

static inline void fx_read(struct fixture *fx, uint32_t id, uint32_t t)
{
	scheduler_acquire_shared(fx->s, id, t);
	fx_check(fx);
}

static inline void fx_unread(struct fixture *fx, uint32_t id, uint32_t t)
{
	scheduler_release_shared(fx->s, id, t);
	fx_check(fx);
}

#endif /* TESTS_UNIT_SCHEDULER_FIXTURE_H */
