/* SPDX-License-Identifier: MIT */
/*
 * test_scheduler_tasks.c - life cycle, tasks, announcements and time.
 */
#include "scheduler_fixture.h"
#include "scheduler/objects.h"

static void test_init__starts_empty(void **state)
{
	struct fixture *fx = *state;

	fx->config.start_ns = 777;
	fx_init(fx);
	assert_int_equal(fx->s->nr_tasks, 0);
	assert_int_equal(fx->s->nr_objects, 0);
	assert_int_equal(fx->s->step, 0);
	assert_int_equal(fx->s->current, 0);
	assert_int_equal(fx->s->now_ns, 777);
	assert_int_equal(fx->s->config.max_steps, FX_MAX_STEPS);
}

/* A used scheduler, made anew, equals one that was never used. */
static void test_init__leaves_nothing_of_the_run_before(void **state)
{
	struct fixture *fx = *state;
	struct scheduler *fresh = calloc(1, sizeof(*fresh));

	assert_non_null(fresh);
	fx_tasks(fx, 5);
	for (uint64_t i = 0; i < 1000; i++)
		scheduler_object_id(fx->s, SCHED_CLASS_MUTEX, i * 8, i);
	for (uint32_t t = 0; t < 5; t++) {
		fx_acquire(fx, 6 + t, t);
		fx_run(fx, t);
		fx_yield(fx, t);
		scheduler_note_result(fx->s, t, 1);
		fx_wait(fx, 7, t);
	}
	fx_exit(fx, 2);

	fx_init(fx);
	scheduler_init(fresh, &fx->config);
	/* The lists below are only valid up to their counts. */
	memset(fx->s->candidate, 0, sizeof(fx->s->candidate));
	memset(fx->s->live, 0, sizeof(fx->s->live));
	assert_memory_equal(fx->s, fresh, sizeof(*fresh));
	free(fresh);
}

static void test_task_new__numbers_in_order_of_creation(void **state)
{
	struct fixture *fx = *state;

	for (uint32_t t = 0; t < 4; t++)
		assert_int_equal(fx_task(fx), t);
	fx_exit(fx, 3);
	assert_int_equal(fx_task(fx), 4);
	assert_int_equal(fx->s->nr_tasks, 5);
	assert_int_equal(fx->s->nr_live, 4);
	assert_int_equal(fx->s->max_live, 4);
}

static void test_task_new__is_enabled_at_thread_start(void **state)
{
	struct fixture *fx = *state;
	int t = scheduler_task_new(fx->s, 7, 0x123);
	const struct sched_task *task = scheduler_task(fx->s, (uint32_t)t);

	assert_int_equal(task->state, SCHED_TASK_ALIVE);
	assert_int_equal(task->parent, 7);
	assert_int_equal(task->pc, 0x123);
	assert_int_equal(task->op.kind, EXPLORE_OP_THREAD_START);
	assert_int_equal(task->op.object,
			 scheduler_object_find(fx->s, SCHED_CLASS_THREAD, 0));
	assert_int_not_equal(task->op.object, 0);
	assert_true(task->deadline_ns == SCHED_NEVER);
	assert_true(fx_enabled(fx, (uint32_t)t));
}

static void test_task_new__refuses_when_full(void **state)
{
	struct fixture *fx = *state;

	for (uint32_t t = 0; t < SCHED_MAX_TASKS; t++)
		assert_int_equal(scheduler_task_new(fx->s, 0, 0), t);
	assert_int_equal(scheduler_task_new(fx->s, 0, 0), -1);
	assert_int_equal(fx->s->nr_tasks, SCHED_MAX_TASKS);
	fx_check(fx);
}

/* Joined, it is nobody's any more; unless it owns something. */
static void test_task_new__gives_ids_again(void **state)
{
	struct fixture *fx = *state;
	uint32_t mutex = fx_object(fx, SCHED_CLASS_MUTEX, 0x10);

	fx_tasks(fx, SCHED_FRESH_TASKS);
	scheduler_acquire(fx->s, mutex, 3);
	for (uint32_t t = 1; t < 6; t++)
		fx_exit(fx, t);
	fx->s->task[2].flags |= SCHED_TASK_JOINED;
	fx->s->task[3].flags |= SCHED_TASK_DETACHED;	/* owns the mutex */
	fx->s->task[5].flags |= SCHED_TASK_DETACHED;
	assert_int_equal(scheduler_task_new(fx->s, 0, 0), 2);
	assert_int_equal(fx->s->task[2].state, SCHED_TASK_ALIVE);
	assert_int_equal(fx->s->task[2].flags, 0);
	assert_int_equal(scheduler_task_new(fx->s, 0, 0), 5);
	assert_int_equal(scheduler_task_new(fx->s, 0, 0), SCHED_FRESH_TASKS);
	assert_int_equal(fx->s->nr_reused, 2);
	assert_int_equal(fx->s->live[1], 2);
	fx_check(fx);
}

static void test_task_exit__keeps_the_others_in_order(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 5);
	fx_exit(fx, 1);
	fx_exit(fx, 4);
	fx_exit(fx, 0);
	assert_int_equal(fx->s->nr_live, 2);
	assert_int_equal(fx->s->live[0], 2);
	assert_int_equal(fx->s->live[1], 3);
	assert_int_equal(fx->s->max_live, 5);
	assert_false(fx_enabled(fx, 1));
}

static void test_task_exit__leaves_its_queue(void **state)
{
	struct fixture *fx = *state;
	uint32_t cond = fx_object(fx, SCHED_CLASS_COND, 0x10);

	fx_tasks(fx, 3);
	for (uint32_t t = 0; t < 3; t++)
		fx_wait(fx, cond, t);
	fx_exit(fx, 1);
	assert_int_equal(scheduler_object(fx->s, cond)->nr_waiters, 2);
}

static void test_task_exit__counts_once(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	fx_exit(fx, 1);
	fx_exit(fx, 1);
	assert_int_equal(fx->s->nr_live, 1);
}

static void test_announce__adds_the_flags_of_the_kind(void **state)
{
	static const struct {
		uint16_t kind, flags;
	} row[] = {
		{ EXPLORE_OP_THREAD_START, 0 },
		{ EXPLORE_OP_THREAD_JOIN,
		  EXPLORE_OP_F_WRITES | EXPLORE_OP_F_BLOCKING },
		{ EXPLORE_OP_MUTEX_LOCK,
		  EXPLORE_OP_F_WRITES | EXPLORE_OP_F_BLOCKING },
		{ EXPLORE_OP_MUTEX_UNLOCK, EXPLORE_OP_F_WRITES },
		{ EXPLORE_OP_RWLOCK_RDLOCK, EXPLORE_OP_F_BLOCKING },
		{ EXPLORE_OP_RWLOCK_TRYRDLOCK, 0 },
		{ EXPLORE_OP_SEM_GETVALUE, 0 },
		{ EXPLORE_OP_SLEEP,
		  EXPLORE_OP_F_YIELDS | EXPLORE_OP_F_BLOCKING },
		{ EXPLORE_OP_YIELD, EXPLORE_OP_F_YIELDS },
		{ EXPLORE_OP_SPIN, EXPLORE_OP_F_YIELDS },
		{ EXPLORE_OP_SYSCALL, EXPLORE_OP_F_WRITES },
		{ EXPLORE_OP_MEMORY_READ, 0 },
		{ EXPLORE_OP_ATOMIC_READ, 0 },
		{ EXPLORE_OP_MEMORY_WRITE, EXPLORE_OP_F_WRITES },
		{ EXPLORE_OP_ATOMIC_RMW, EXPLORE_OP_F_WRITES },
	};
	struct fixture *fx = *state;

	fx_task(fx);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		fx_at(fx, 0, row[i].kind, 1);
		assert_int_equal(fx->s->task[0].op.flags, row[i].flags);
	}
	fx_announce(fx, 0,
		    &(struct sched_announce){ .kind = EXPLORE_OP_SYSCALL,
					      .flags = EXPLORE_OP_F_BLOCKING });
	assert_int_equal(fx->s->task[0].op.flags,
			 EXPLORE_OP_F_WRITES | EXPLORE_OP_F_BLOCKING);
}

static void test_announce__forgets_the_last_operation(void **state)
{
	struct fixture *fx = *state;
	struct sched_task *t;

	fx_task(fx);
	t = scheduler_task(fx->s, 0);
	fx_until(fx, 0, EXPLORE_OP_SLEEP, 0, 5);
	t->flags = SCHED_TASK_READY | SCHED_TASK_EXTERNAL |
		   SCHED_TASK_INTERRUPTED | SCHED_TASK_DETACHED;
	t->wake = SCHED_WAKE_WOKEN;
	t->op.flags |= EXPLORE_OP_F_TIMEOUT;
	fx_announce(fx, 0,
		    &(struct sched_announce){ .kind = EXPLORE_OP_YIELD,
					      .site = 9,
					      .pc = 0x44,
					      .addr = 0x55 });
	assert_int_equal(t->flags,
			 SCHED_TASK_INTERRUPTED | SCHED_TASK_DETACHED);
	assert_int_equal(t->wake, SCHED_WAKE_WOKEN);
	assert_true(t->deadline_ns == SCHED_NEVER);
	assert_int_equal(t->op.flags, EXPLORE_OP_F_YIELDS);
	assert_int_equal(t->op.site, 9);
	assert_int_equal(t->pc, 0x44);
	assert_int_equal(t->addr, 0x55);
}

static void test_advance__never_goes_back(void **state)
{
	struct fixture *fx = *state;

	scheduler_advance(fx->s, 100);
	assert_int_equal(fx->s->now_ns, 100);
	scheduler_advance(fx->s, 50);
	assert_int_equal(fx->s->now_ns, 100);
}

static void test_next_deadline__is_the_earliest_to_come(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 4);
	assert_true(scheduler_next_deadline(fx->s) == SCHED_NEVER);
	fx_until(fx, 1, EXPLORE_OP_SLEEP, 0, 300);
	fx_until(fx, 2, EXPLORE_OP_SLEEP, 0, 200);
	fx_until(fx, 3, EXPLORE_OP_SLEEP, 0, 100);
	assert_int_equal(scheduler_next_deadline(fx->s), 100);
	fx_exit(fx, 3);
	assert_int_equal(scheduler_next_deadline(fx->s), 200);
	scheduler_advance(fx->s, 200);
	assert_int_equal(scheduler_next_deadline(fx->s), 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_init__starts_empty),
		FX_TEST(test_init__leaves_nothing_of_the_run_before),
		FX_TEST(test_task_new__numbers_in_order_of_creation),
		FX_TEST(test_task_new__is_enabled_at_thread_start),
		FX_TEST(test_task_new__refuses_when_full),
		FX_TEST(test_task_new__gives_ids_again),
		FX_TEST(test_task_exit__keeps_the_others_in_order),
		FX_TEST(test_task_exit__leaves_its_queue),
		FX_TEST(test_task_exit__counts_once),
		FX_TEST(test_announce__adds_the_flags_of_the_kind),
		FX_TEST(test_announce__forgets_the_last_operation),
		FX_TEST(test_advance__never_goes_back),
		FX_TEST(test_next_deadline__is_the_earliest_to_come),
	};

	return cmocka_run_group_tests_name("scheduler_tasks", tests, NULL,
					   NULL);
}
