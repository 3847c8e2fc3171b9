/* SPDX-License-Identifier: MIT */
/*
 * model_scheduler.c - a model (enumerator.h) on top of the real scheduler.
 */
#include "tests/unit/model_scheduler.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

#include "scheduler/scheduler.h"
#include "scheduler/objects.h"

struct model_scheduler {
	struct scheduler *s;
	struct scheduler_config config;
	struct scheduler_env env;
	struct sched_event *log;
	const struct model *m;
	uint8_t pc[MODEL_MAX_TASKS];
};

static const struct {
	uint16_t kind;
	enum sched_class class;
} as[] = {
	[MODEL_LOCK] = { EXPLORE_OP_MUTEX_LOCK, SCHED_CLASS_MUTEX },
	[MODEL_UNLOCK] = { EXPLORE_OP_MUTEX_UNLOCK, SCHED_CLASS_MUTEX },
	[MODEL_WAIT] = { EXPLORE_OP_SEM_WAIT, SCHED_CLASS_SEM },
	[MODEL_POST] = { EXPLORE_OP_SEM_POST, SCHED_CLASS_SEM },
	[MODEL_SLEEP] = { EXPLORE_OP_FUTEX_WAIT, SCHED_CLASS_FUTEX },
	[MODEL_WAKE] = { EXPLORE_OP_FUTEX_WAKE, SCHED_CLASS_FUTEX },
	[MODEL_READ] = { EXPLORE_OP_MEMORY_READ, SCHED_CLASS_MEMORY },
	[MODEL_WRITE] = { EXPLORE_OP_MEMORY_WRITE, SCHED_CLASS_MEMORY },
	[MODEL_YIELD] = { EXPLORE_OP_YIELD, SCHED_CLASS_NONE },
	[MODEL_CHOOSE] = { EXPLORE_OP_CHOOSE, SCHED_CLASS_NONE },
};

struct model_scheduler *model_scheduler_new(uint64_t max_steps)
{
	struct model_scheduler *ms = calloc(1, sizeof(*ms));

	assert_non_null(ms);
	ms->s = calloc(1, sizeof(*ms->s));
	ms->log = calloc(max_steps, sizeof(*ms->log));
	assert_true(ms->s && ms->log);
	ms->config = (struct scheduler_config){
		.max_steps = max_steps,
		.op_cost_ns = 10,
		.wake_any = 1,
	};
	return ms;
}

void model_scheduler_free(struct model_scheduler *ms)
{
	if (!ms)
		return;
	free(ms->s);
	free(ms->log);
	free(ms);
}

static uint32_t object_of(struct model_scheduler *ms, enum sched_class class,
			  uint8_t arg)
{
	return scheduler_object_id(ms->s, class, 0x1000 + arg * 64u, 0);
}

/* Say what t does next, or that it is gone. */
static void proceed(struct model_scheduler *ms, uint32_t t)
{
	const struct model_op *op = &ms->m->op[t][ms->pc[t]];
	struct sched_announce a = { .kind = as[op->kind].kind };

	if (op->kind == MODEL_END) {
		scheduler_task_exit(ms->s, t);
		return;
	}
	if (as[op->kind].class != SCHED_CLASS_NONE)
		a.object = object_of(ms, as[op->kind].class, op->arg);
	scheduler_announce(ms->s, t, &a);
}

/* What the operation of the current task does. */
static void carry_out(struct model_scheduler *ms, const struct model_op *op,
		      uint32_t t)
{
	uint32_t id = ms->s->task[t].op.object;
	uint32_t ignored;

	switch (op->kind) {
	case MODEL_LOCK:
		scheduler_acquire(ms->s, id, t);
		break;
	case MODEL_UNLOCK:
		scheduler_release(ms->s, id);
		break;
	case MODEL_WAIT:
		scheduler_object(ms->s, id)->count--;
		break;
	case MODEL_POST:
		scheduler_object(ms->s, id)->count++;
		break;
	case MODEL_SLEEP:
		scheduler_wait(ms->s, id, t, UINT32_MAX);
		break;
	case MODEL_WAKE:
		assert_int_equal(scheduler_wake(ms->s, &ms->env, id, 1,
						UINT32_MAX, &ignored),
				 SCHED_RUN);
		break;
	case MODEL_CHOOSE:
		assert_int_equal(scheduler_choose(ms->s, &ms->env,
						  EXPLORE_POINT_VALUE, 0,
						  op->arg, NULL, &ignored),
				 SCHED_RUN);
		break;
	}
}

static void start(struct model_scheduler *ms)
{
	scheduler_init(ms->s, &ms->config);
	for (uint32_t t = 0; t < ms->m->nr_tasks; t++) {
		ms->pc[t] = 0;
		assert_int_equal(scheduler_task_new(ms->s, 0, 0), t);
	}
	for (uint8_t i = 0; i < MODEL_MAX_OBJECTS; i++)
		if (ms->m->value[i]) {
			uint32_t id = object_of(ms, SCHED_CLASS_SEM, i);

			scheduler_object(ms->s, id)->count = ms->m->value[i];
		}
	for (uint32_t t = 0; t < ms->m->nr_tasks; t++)
		proceed(ms, t);
}

/* A model's task that sleeps goes on with its next operation when woken. */
static void resume_woken(struct model_scheduler *ms)
{
	for (uint32_t t = 0; t < ms->m->nr_tasks; t++) {
		struct sched_task *task = scheduler_task(ms->s, t);

		if (task->state == SCHED_TASK_ALIVE &&
		    task->op.kind == EXPLORE_OP_FUTEX_RESUME &&
		    task->wake == SCHED_WAKE_WOKEN)
			proceed(ms, t);
	}
}

void model_scheduler_run(struct model_scheduler *ms, const struct model *m,
			 const struct explore_strategy *strategy, void *state,
			 struct schedule *out)
{
	enum sched_result result;

	ms->m = m;
	ms->env = (struct scheduler_env){
		.strategy = strategy,
		.state = state,
		.log = ms->log,
	};
	start(ms);
	while ((result = scheduler_next(ms->s, &ms->env)) == SCHED_RUN) {
		uint32_t t = ms->s->current;
		const struct model_op *op = &m->op[t][ms->pc[t]++];

		carry_out(ms, op, t);
		if (op->kind == MODEL_SLEEP) {
			struct sched_announce a = {
				.kind = EXPLORE_OP_FUTEX_RESUME,
				.object = ms->s->task[t].op.object,
			};

			scheduler_announce(ms->s, t, &a);
		} else {
			proceed(ms, t);
		}
		resume_woken(ms);
	}
	assert_true(result == SCHED_FINISHED || result == SCHED_DEADLOCK);
	*out = (struct schedule){
		.length = (uint8_t)ms->s->step,
		.nr_preemptions = (uint32_t)ms->s->nr_preemptions,
		.is_deadlock = result == SCHED_DEADLOCK,
	};
	for (uint64_t i = 0; i < ms->s->step; i++)
		out->chosen[i] = (uint8_t)ms->log[i].chosen;
}
