/* SPDX-License-Identifier: MIT */
/*
 * test_scheduler_next.c - the choice of who is next, time, results.
 */
#include "scheduler_fixture.h"
#include "scheduler/objects.h"

/* Task t waits for something that nobody will ever do. */
static void block(struct fixture *fx, uint32_t t)
{
	fx_at(fx, t, EXPLORE_OP_SEM_WAIT,
	      fx_object(fx, SCHED_CLASS_SEM, 0xdead));
}

/* -------------------------------------------------- candidates and log */

static void test_next__offers_the_enabled_in_ascending_order(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 4);
	block(fx, 2);
	fx_run(fx, 3);
	assert_int_equal(fx->point.kind, EXPLORE_POINT_TASK);
	assert_int_equal(fx->point.step, 0);
	assert_int_equal(fx->point.nr, 3);
	assert_int_equal(fx->candidate[0].task, 0);
	assert_int_equal(fx->candidate[1].task, 1);
	assert_int_equal(fx->candidate[2].task, 3);
	assert_int_equal(fx->candidate[2].kind, EXPLORE_OP_THREAD_START);
}

static void test_next__asks_and_logs_even_without_a_choice(void **state)
{
	struct fixture *fx = *state;

	fx_task(fx);
	for (uint32_t i = 1; i <= 5; i++) {
		fx_run(fx, 0);
		assert_int_equal(fx->nr_asked, i);
		assert_int_equal(fx->s->step, i);
		assert_int_equal(fx_last(fx)->nr, 1);
	}
}

static void test_next__logs_what_runs(void **state)
{
	struct fixture *fx = *state;
	struct sched_announce a = {
		.kind = EXPLORE_OP_COND_WAIT,
		.pc = 0x5555,
	};
	const struct sched_event *e;

	fx_tasks(fx, 2);
	a.object = fx_object(fx, SCHED_CLASS_COND, 0x10);
	a.object2 = fx_object(fx, SCHED_CLASS_MUTEX, 0x20);
	fx_announce(fx, 1, &a);
	fx_run(fx, 1);
	e = fx_last(fx);
	assert_int_equal(e->point, EXPLORE_POINT_TASK);
	assert_int_equal(e->kind, EXPLORE_OP_COND_WAIT);
	assert_int_equal(e->task, 1);
	assert_int_equal(e->chosen, 1);
	assert_int_equal(e->nr, 2);
	assert_int_equal(e->object, a.object);
	assert_int_equal(e->object2, a.object2);
	assert_int_equal(e->pc, 0x5555);
	assert_int_equal(e->now_ns, FX_OP_COST);
	assert_int_equal(e->digest, (uint32_t)fx->s->digest);
	assert_int_equal(fx->s->nr_ops[EXPLORE_OP_COND_WAIT], 1);
	assert_int_equal(fx->s->task[1].nr_ops, 1);
}

static struct explore_decision ask_last(const struct scheduler_env *env,
					const struct explore_point *point)
{
	struct fixture *fx = env->state;

	fx->nr_asked += 100;
	return (struct explore_decision){ .index = point->nr - 1 };
}

static void test_next__asks_through_the_hook_when_there_is_one(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 3);
	fx->env.ask = ask_last;
	assert_int_equal(fx_next(fx), SCHED_RUN);
	assert_int_equal(fx->s->current, 2);
	assert_int_equal(fx->nr_asked, 100);
}

static void test_next__refuses_an_answer_out_of_range(void **state)
{
	struct fixture *fx = *state;
	uint64_t digest = fx->s->digest;

	fx_tasks(fx, 2);
	fx->raw_index = 2;
	assert_int_equal(fx_next(fx), SCHED_BAD_PICK);
	fx->raw_index = EXPLORE_PICK_DIVERGED;
	assert_int_equal(fx_next(fx), SCHED_DIVERGED);
	assert_int_equal(fx->log[0].chosen, UINT32_MAX);
	assert_int_equal(fx->s->step, 0);
	assert_int_equal(fx->s->now_ns, 0);
	assert_true(fx->s->digest == digest);
}

/* ------------------------------------------- switches and preemptions */

static void test_next__previous_is_the_index_of_who_ran(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 4);
	block(fx, 0);
	fx_run(fx, 3);
	assert_int_equal(fx->point.previous, -1);	/* 0 is blocked */
	fx_run(fx, 3);
	assert_int_equal(fx->point.previous, 2);
	assert_int_equal(fx->point.previous_task, 3);
	fx_exit(fx, 3);
	fx_run(fx, 1);
	assert_int_equal(fx->point.previous, -1);
	assert_int_equal(fx->point.previous_task, 3);
}

static void test_next__leaving_one_that_could_go_on_preempts(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	fx_run(fx, 0);
	assert_int_equal(fx_last(fx)->flags, 0);
	fx_run(fx, 1);
	assert_int_equal(fx_last(fx)->flags,
			 SCHED_EVENT_SWITCH | SCHED_EVENT_PREEMPTION);
	assert_int_equal(fx->s->nr_switches, 1);
	assert_int_equal(fx->s->nr_preemptions, 1);
}

static void test_next__leaving_a_blocked_one_only_switches(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	fx_run(fx, 0);
	block(fx, 0);
	fx_run(fx, 1);
	assert_int_equal(fx_last(fx)->flags, SCHED_EVENT_SWITCH);
	assert_int_equal(fx->s->nr_switches, 1);
	assert_int_equal(fx->s->nr_preemptions, 0);
}

static void test_next__leaving_a_yielding_one_only_switches(void **state)
{
	static const uint16_t kind[] = { EXPLORE_OP_YIELD, EXPLORE_OP_SPIN };
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	for (int i = 0; i < 2; i++) {
		fx_run(fx, 0);
		fx_at(fx, 0, kind[i], 0);
		fx_run(fx, 1);
		assert_int_equal(fx->point.previous, 0);
		assert_int_equal(fx_last(fx)->flags, SCHED_EVENT_SWITCH);
		block(fx, 1);
		fx_at(fx, 0, EXPLORE_OP_SEM_POST, 0);
		fx_run(fx, 0);
		fx_at(fx, 1, EXPLORE_OP_SEM_POST, 0);
	}
	assert_int_equal(fx->s->nr_preemptions, 0);
}

/* ----------------------------------------------------- time, deadlines */

static void test_next__each_operation_takes_time(void **state)
{
	struct fixture *fx = *state;

	fx->config.start_ns = 1000;
	fx_init(fx);
	fx_task(fx);
	fx_run(fx, 0);
	fx_run(fx, 0);
	assert_int_equal(fx->s->now_ns, 1000 + 2 * FX_OP_COST);
}

static void test_next__jumps_to_the_earliest_deadline(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 3);
	fx_until(fx, 0, EXPLORE_OP_SLEEP, 0, 9000);
	fx_until(fx, 1, EXPLORE_OP_SLEEP, 0, 5000);
	block(fx, 2);
	fx_run(fx, 1);
	assert_int_equal(fx->point.nr, 1);
	assert_int_equal(fx->s->now_ns, 5000);
	assert_int_equal(fx_last(fx)->now_ns, 5000);
	assert_int_equal(fx_last(fx)->flags,
			 SCHED_EVENT_TIMEOUT | SCHED_EVENT_SWITCH |
			 SCHED_EVENT_YIELDS);
}

static void test_next__does_not_jump_while_somebody_can_run(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	fx_until(fx, 1, EXPLORE_OP_SLEEP, 0, 5000);
	fx_run(fx, 0);
	assert_int_equal(fx->point.nr, 1);
	assert_int_equal(fx->s->now_ns, FX_OP_COST);
}

static void test_next__a_timeout_ends_the_queued_wait(void **state)
{
	struct fixture *fx = *state;
	struct sched_task *t;
	uint32_t f;

	fx_tasks(fx, 2);
	f = fx_object(fx, SCHED_CLASS_FUTEX, 0x10);
	t = scheduler_task(fx->s, 1);
	fx_wait(fx, f, 1);
	fx_until(fx, 1, EXPLORE_OP_FUTEX_RESUME, f, 15);
	fx_run(fx, 0);
	assert_false(fx_offered(fx, 1));
	fx_run(fx, 0);
	assert_true(fx_offered(fx, 1));
	assert_int_equal(fx->candidate[1].flags & EXPLORE_OP_F_TIMEOUT,
			 EXPLORE_OP_F_TIMEOUT);
	assert_int_equal(t->op.flags & EXPLORE_OP_F_TIMEOUT, 0);
	assert_int_equal(t->wake, SCHED_WAKE_NONE);
	fx_run(fx, 1);
	assert_int_equal(t->op.flags & EXPLORE_OP_F_TIMEOUT,
			 EXPLORE_OP_F_TIMEOUT);
	assert_int_equal(t->wake, SCHED_WAKE_TIMEOUT);
	assert_int_equal(scheduler_object(fx->s, f)->nr_waiters, 0);
	assert_int_equal(fx_last(fx)->flags & SCHED_EVENT_TIMEOUT,
			 SCHED_EVENT_TIMEOUT);
}

/* It came too late to matter: the lock is free as well. */
static void test_next__an_enabled_task_does_not_time_out(void **state)
{
	struct fixture *fx = *state;

	fx_task(fx);
	fx_until(fx, 0, EXPLORE_OP_MUTEX_TIMEDLOCK,
		 fx_object(fx, SCHED_CLASS_MUTEX, 0x10), 5);
	fx_run(fx, 0);
	assert_int_equal(fx->candidate[0].flags & EXPLORE_OP_F_TIMEOUT, 0);
	assert_int_equal(fx_last(fx)->flags, 0);
}

static void test_next__slack_takes_a_deadline_early(void **state)
{
	struct fixture *fx = *state;

	fx->config.slack_ns = 1000;
	fx_init(fx);
	fx_tasks(fx, 2);
	fx_until(fx, 1, EXPLORE_OP_SLEEP, 0, 900);
	fx_run(fx, 0);
	assert_true(fx_offered(fx, 1));
	assert_int_equal(fx->s->now_ns, FX_OP_COST);
	fx_run(fx, 1);
	assert_int_equal(fx->s->now_ns, 900);
}

/* ------------------------------------------------------------- no task */

static void test_next__without_tasks_is_finished(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(fx_next(fx), SCHED_FINISHED);
	fx_tasks(fx, 2);
	fx_exit(fx, 0);
	fx_exit(fx, 1);
	assert_int_equal(fx_next(fx), SCHED_FINISHED);
	assert_int_equal(fx->nr_asked, 0);
}

static void test_next__nobody_ever_is_a_deadlock(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	fx_run(fx, 1);
	block(fx, 0);
	block(fx, 1);
	assert_int_equal(fx_next(fx), SCHED_DEADLOCK);
	assert_int_equal(fx->s->step, 1);
	assert_int_equal(fx->s->current, 1);
	assert_int_equal(fx->s->now_ns, FX_OP_COST);
}

/* The wait has ended, but the mutex will never come: time cannot help. */
static void test_next__a_deadline_that_came_does_not_help(void **state)
{
	struct fixture *fx = *state;
	struct sched_announce a = {
		.kind = EXPLORE_OP_COND_WAKE,
		.deadline_ns = 700,
	};

	fx_tasks(fx, 2);
	a.object = fx_object(fx, SCHED_CLASS_COND, 0x10);
	a.object2 = fx_object(fx, SCHED_CLASS_MUTEX, 0x20);
	fx_acquire(fx, a.object2, 1);
	fx_wait(fx, a.object, 0);
	fx_announce(fx, 0, &a);
	block(fx, 1);
	assert_int_equal(fx_next(fx), SCHED_DEADLOCK);
}

static void test_next__waits_for_the_world_outside(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	fx_announce(fx, 0,
		    &(struct sched_announce){ .kind = EXPLORE_OP_SYSCALL,
					      .flags = EXPLORE_OP_F_BLOCKING });
	fx->s->task[0].flags |= SCHED_TASK_EXTERNAL;
	block(fx, 1);
	assert_int_equal(fx_next(fx), SCHED_OUTSIDE);
	/* Real time passes: no jump over it. */
	fx_until(fx, 1, EXPLORE_OP_SLEEP, 0, 5000);
	assert_int_equal(fx_next(fx), SCHED_OUTSIDE);
	assert_int_equal(fx->s->now_ns, 0);
	assert_int_equal(fx->s->step, 0);
	fx->s->task[0].flags |= SCHED_TASK_READY;
	fx_run(fx, 0);
}

static void test_next__stops_at_the_step_limit(void **state)
{
	struct fixture *fx = *state;

	fx->config.max_steps = 3;
	fx_init(fx);
	fx_task(fx);
	for (int i = 0; i < 3; i++)
		fx_run(fx, 0);
	assert_int_equal(fx_next(fx), SCHED_STEP_LIMIT);
	assert_int_equal(fx->s->step, 3);
	assert_int_equal(fx->nr_asked, 3);
	/* What has ended has not reached the limit. */
	fx_exit(fx, 0);
	assert_int_equal(fx_next(fx), SCHED_FINISHED);
}

/* ------------------------------------------------------------- spinning */

static void test_next__spinning_makes_deadlines_come(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 3);
	fx_at(fx, 0, EXPLORE_OP_SPIN, 0);
	fx_at(fx, 1, EXPLORE_OP_SPIN, 0);
	fx_until(fx, 2, EXPLORE_OP_SLEEP, 0, 5000);
	fx_run(fx, 0);
	assert_true(fx_offered(fx, 2));
	assert_int_equal(fx->s->now_ns, 5000);
}

static void test_next__one_with_other_work_is_no_spinning(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 3);
	fx_at(fx, 0, EXPLORE_OP_SPIN, 0);
	fx_until(fx, 2, EXPLORE_OP_SLEEP, 0, 5000);
	fx_run(fx, 0);
	assert_false(fx_offered(fx, 2));
}

static void test_next__spinning_alone_goes_on(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	fx_at(fx, 0, EXPLORE_OP_SPIN, 0);
	block(fx, 1);
	fx_run(fx, 0);
}

static void test_next__spinning_waits_for_the_world_outside(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	fx_at(fx, 0, EXPLORE_OP_SPIN, 0);
	fx_announce(fx, 1,
		    &(struct sched_announce){ .kind = EXPLORE_OP_SYSCALL,
					      .flags = EXPLORE_OP_F_BLOCKING });
	fx->s->task[1].flags |= SCHED_TASK_EXTERNAL;
	assert_int_equal(fx_next(fx), SCHED_OUTSIDE);
	/* A yield may be followed by anything: let it. */
	fx_at(fx, 0, EXPLORE_OP_YIELD, 0);
	fx_run(fx, 0);
}

static void test_next__long_yielding_makes_deadlines_come(void **state)
{
	struct fixture *fx = *state;
	uint32_t nr = 0;

	fx_tasks(fx, 2);
	fx_run(fx, 1);
	fx_until(fx, 1, EXPLORE_OP_SLEEP, 0, 1000000);
	fx_at(fx, 0, EXPLORE_OP_YIELD, 0);
	do {
		fx_run(fx, 0);
		fx_yield(fx, 0);
		nr++;
	} while (!fx_offered(fx, 1) && nr < 1000);
	assert_int_equal(nr, SCHED_STALE_STEPS);
	assert_int_equal(fx->s->now_ns, 1000000);
}

static void test_next__endless_spinning_is_a_livelock(void **state)
{
	struct fixture *fx = *state;
	uint32_t nr = 0;

	fx_tasks(fx, 2);
	fx_at(fx, 0, EXPLORE_OP_SPIN, 0);
	fx_at(fx, 1, EXPLORE_OP_SPIN, 0);
	/* The last steps only: the log of the fixture is short. */
	fx->s->nr_spins = SCHED_SPIN_LIMIT - 10;
	while (fx_next(fx) == SCHED_RUN)
		nr++;
	assert_int_equal(nr, 10);
	assert_int_equal(fx_next(fx), SCHED_LIVELOCK);
	/* Whoever comes to something else may help them. */
	fx_at(fx, 1, EXPLORE_OP_YIELD, 0);
	assert_int_equal(fx_next(fx), SCHED_RUN);
}

/* Task t has come back to where it was, and nothing has changed since. */
static void fx_idle(struct fixture *fx, uint32_t t)
{
	fx_announce(fx, t, &(struct sched_announce){
		.kind = EXPLORE_OP_MEMORY_READ,
		.flags = EXPLORE_OP_F_YIELDS | EXPLORE_OP_F_IDLE,
	});
	fx->s->task[t].idle_effects = fx->s->nr_effects + 1;
}

static void test_next__all_idle_is_a_livelock(void **state)
{
	struct fixture *fx = *state;
	uint32_t nr = 0;

	fx_tasks(fx, 2);
	fx_idle(fx, 0);
	fx_idle(fx, 1);
	while (fx_next(fx) == SCHED_RUN)
		nr++;
	assert_int_equal(nr, SCHED_SPIN_LIMIT);
	assert_int_equal(fx_next(fx), SCHED_LIVELOCK);
	/* A change that they may not have seen. */
	fx->s->nr_effects++;
	assert_int_equal(fx_next(fx), SCHED_RUN);
}

static void test_next__idle_is_no_livelock_while_locks_matter(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 1);
	fx_idle(fx, 0);
	fx->s->task[0].idle_lockings = fx->s->nr_lockings + 1;
	while (fx_next(fx) == SCHED_RUN)
		continue;
	fx->s->nr_lockings++;
	assert_int_equal(fx_next(fx), SCHED_RUN);
}

static void test_next__all_idle_lets_time_jump(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	fx_until(fx, 1, EXPLORE_OP_SLEEP, 0, 1000000);
	fx_idle(fx, 0);
	fx_run(fx, 0);
	assert_true(fx_offered(fx, 1));
	assert_int_equal(fx->s->now_ns, 1000000);
}

static void test_next__progress_is_no_yield_and_no_timeout(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	fx_run(fx, 0);
	fx_run(fx, 0);
	assert_int_equal(fx->s->last_progress, 1);
	fx_at(fx, 0, EXPLORE_OP_YIELD, 0);
	fx_run(fx, 0);
	fx_at(fx, 0, EXPLORE_OP_SPIN, 0);
	fx_run(fx, 0);
	fx_until(fx, 0, EXPLORE_OP_MUTEX_TIMEDLOCK,
		 fx_object(fx, SCHED_CLASS_MUTEX, 0x10), 1);
	fx_acquire(fx, scheduler_object_find(fx->s, SCHED_CLASS_MUTEX, 0x10),
		   1);
	fx_run(fx, 0);
	assert_int_equal(fx_last(fx)->flags, SCHED_EVENT_TIMEOUT);
	assert_int_equal(fx->s->last_progress, 1);
	fx_run(fx, 1);
	assert_int_equal(fx->s->last_progress, 5);
}

/* ------------------------------------------------------------ the short way */

#define TWIN_TASKS 6u
#define TWIN_STEPS 3000u

static uint32_t mix(uint64_t x)
{
	x = (x + 1) * 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 31) * 0xbf58476d1ce4e5b9ull;
	return (uint32_t)(x >> 33);
}

/* An answer that depends on nothing but the step. */
static struct explore_decision any_pick(void *state,
					const struct explore_point *point)
{
	struct explore_decision d = fx_pick(state, point);

	d.index = mix(point->step) % point->nr;
	return d;
}

/* The task has been picked: its operation, then what it is to do next. */
static void carry_on(struct fixture *fx, const uint32_t *lock, uint32_t seed)
{
	struct scheduler *s = fx->s;
	uint32_t t = s->current, kind = s->task[t].op.kind;
	uint32_t random = mix((uint64_t)seed << 32 | s->step) % 32;
	struct sched_announce a = { .pc = random, .site = random };

	if (kind == EXPLORE_OP_MUTEX_LOCK)
		scheduler_acquire(s, s->task[t].op.object, t);
	else if (kind == EXPLORE_OP_MUTEX_UNLOCK)
		scheduler_release(s, s->task[t].op.object);
	else if (kind == EXPLORE_OP_YIELD)
		scheduler_yielded(s, t, false);
	if (random == 0) {
		a.kind = EXPLORE_OP_SLEEP;
		a.deadline_ns = s->now_ns + 7 * FX_OP_COST;
	} else if (random == 1) {
		a.kind = EXPLORE_OP_YIELD;
	} else if (random < 6) {
		a.object = lock[random % 2];
		a.kind = scheduler_object(s, a.object)->owner == t + 1 ?
			 EXPLORE_OP_MUTEX_UNLOCK : EXPLORE_OP_MUTEX_LOCK;
	} else {
		a.kind = random % 2 ? EXPLORE_OP_MEMORY_READ :
				      EXPLORE_OP_ATOMIC_RMW;
		a.flags = random == 31 ? EXPLORE_OP_F_YIELDS : 0;
	}
	scheduler_announce(s, t, &a);
}

/*
 * Two runs of the same: one takes the short way where it can, the other is
 * told all the time that something has changed.
 */
static void run_twins(struct fixture *fx, struct fixture *slow, uint32_t seed)
{
	struct explore_strategy any = fx_strategy;
	uint32_t lock[2], nr_short = 0;

	any.pick = any_pick;
	fx->env.strategy = slow->env.strategy = &any;
	for (uint32_t i = 0; i < 2; i++)
		lock[i] = fx_object(fx, SCHED_CLASS_MUTEX, 64 * i);
	for (uint32_t i = 0; i < 2; i++)
		fx_object(slow, SCHED_CLASS_MUTEX, 64 * i);
	fx_tasks(fx, TWIN_TASKS);
	fx_tasks(slow, TWIN_TASKS);
	for (uint32_t i = 0; i < TWIN_STEPS; i++) {
		enum sched_result result = scheduler_next(slow->s, &slow->env);

		nr_short += fx->s->nr_settled != 0;
		assert_int_equal(scheduler_next(fx->s, &fx->env), result);
		assert_true(fx->s->digest == slow->s->digest);
		assert_true(fx->s->now_ns == slow->s->now_ns);
		assert_int_equal(fx->point.nr, slow->point.nr);
		assert_int_equal(fx->point.previous, slow->point.previous);
		assert_memory_equal(fx->candidate, slow->candidate,
				    fx->point.nr * sizeof(fx->candidate[0]));
		if (result != SCHED_RUN)
			break;	/* they locked one another out */
		carry_on(fx, lock, seed);
		carry_on(slow, lock, seed);
		scheduler_changed(slow->s);
	}
	assert_true(nr_short > 0);
}

static void test_next__short_way_leads_to_the_same(void **state)
{
	struct fixture *fx = *state, *slow = NULL;

	for (uint32_t seed = 0; seed < 40; seed++) {
		assert_int_equal(fx_setup((void **)&slow), 0);
		fx_init(fx);
		run_twins(fx, slow, seed);
		fx_teardown((void **)&slow);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_next__offers_the_enabled_in_ascending_order),
		FX_TEST(test_next__asks_and_logs_even_without_a_choice),
		FX_TEST(test_next__logs_what_runs),
		FX_TEST(test_next__asks_through_the_hook_when_there_is_one),
		FX_TEST(test_next__refuses_an_answer_out_of_range),
		FX_TEST(test_next__previous_is_the_index_of_who_ran),
		FX_TEST(test_next__leaving_one_that_could_go_on_preempts),
		FX_TEST(test_next__leaving_a_blocked_one_only_switches),
		FX_TEST(test_next__leaving_a_yielding_one_only_switches),
		FX_TEST(test_next__each_operation_takes_time),
		FX_TEST(test_next__jumps_to_the_earliest_deadline),
		FX_TEST(test_next__does_not_jump_while_somebody_can_run),
		FX_TEST(test_next__a_timeout_ends_the_queued_wait),
		FX_TEST(test_next__an_enabled_task_does_not_time_out),
		FX_TEST(test_next__slack_takes_a_deadline_early),
		FX_TEST(test_next__without_tasks_is_finished),
		FX_TEST(test_next__nobody_ever_is_a_deadlock),
		FX_TEST(test_next__a_deadline_that_came_does_not_help),
		FX_TEST(test_next__waits_for_the_world_outside),
		FX_TEST(test_next__stops_at_the_step_limit),
		FX_TEST(test_next__spinning_makes_deadlines_come),
		FX_TEST(test_next__one_with_other_work_is_no_spinning),
		FX_TEST(test_next__spinning_alone_goes_on),
		FX_TEST(test_next__spinning_waits_for_the_world_outside),
		FX_TEST(test_next__long_yielding_makes_deadlines_come),
		FX_TEST(test_next__endless_spinning_is_a_livelock),
		FX_TEST(test_next__all_idle_is_a_livelock),
		FX_TEST(test_next__idle_is_no_livelock_while_locks_matter),
		FX_TEST(test_next__all_idle_lets_time_jump),
		FX_TEST(test_next__progress_is_no_yield_and_no_timeout),
		FX_TEST(test_next__short_way_leads_to_the_same),
	};

	return cmocka_run_group_tests_name("scheduler_next", tests, NULL,
					   NULL);
}
