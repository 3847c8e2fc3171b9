/* SPDX-License-Identifier: MIT */
/*
 * test_scheduler_objects.c - the table of objects, locks, queues, barriers.
 */
#include "scheduler_fixture.h"
#include "scheduler/objects.h"

/* ---------------------------------------------------------------- table */

static void test_object_id__counts_from_one_by_first_use(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(fx_object(fx, SCHED_CLASS_MUTEX, 0x1000), 1);
	assert_int_equal(fx_object(fx, SCHED_CLASS_COND, 0x2000), 2);
	assert_int_equal(fx_object(fx, SCHED_CLASS_MUTEX, 0x1000), 1);
	assert_int_equal(fx->s->nr_objects, 2);
}

static void test_object_id__tells_classes_at_one_address_apart(void **state)
{
	struct fixture *fx = *state;
	uint32_t mutex = fx_object(fx, SCHED_CLASS_MUTEX, 0);
	uint32_t futex = fx_object(fx, SCHED_CLASS_FUTEX, 0);

	assert_int_not_equal(mutex, futex);
	assert_int_equal(scheduler_object(fx->s, futex)->class,
			 SCHED_CLASS_FUTEX);
}

static void test_object_id__remembers_the_first_code(void **state)
{
	struct fixture *fx = *state;
	uint32_t id = scheduler_object_id(fx->s, SCHED_CLASS_SEM, 0x10, 0xaa);

	scheduler_object_id(fx->s, SCHED_CLASS_SEM, 0x10, 0xbb);
	assert_int_equal(scheduler_object(fx->s, id)->first_pc, 0xaa);
	assert_int_equal(scheduler_object(fx->s, id)->addr, 0x10);
}

static void test_object_id__keeps_ids_while_the_table_grows(void **state)
{
	struct fixture *fx = *state;

	for (uint32_t i = 0; i < 20000; i++)
		assert_int_equal(scheduler_object_id(fx->s, SCHED_CLASS_MUTEX,
						     i * 40, 0), i + 1);
	assert_true(fx->s->nr_buckets > SCHED_MIN_BUCKETS);
	for (uint32_t i = 0; i < 20000; i++)
		assert_int_equal(scheduler_object_find(fx->s,
						       SCHED_CLASS_MUTEX,
						       i * 40), i + 1);
	fx_check(fx);
}

static void test_object_id__returns_0_when_full(void **state)
{
	struct fixture *fx = *state;

	for (uint64_t i = 0; i < SCHED_MAX_OBJECTS; i++)
		assert_true(scheduler_object_id(fx->s, SCHED_CLASS_MEMORY,
						i << 12, 0));
	assert_int_equal(scheduler_object_id(fx->s, SCHED_CLASS_MEMORY, 1, 0),
			 0);
	assert_int_equal(scheduler_object_id(fx->s, SCHED_CLASS_MEMORY, 0, 0),
			 1);
	fx_check(fx);
	fx_init(fx);
	assert_int_equal(fx_object(fx, SCHED_CLASS_MEMORY, 1), 1);
}

static void test_object_find__makes_none(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(scheduler_object_find(fx->s, SCHED_CLASS_MUTEX, 8), 0);
	assert_int_equal(fx->s->nr_objects, 0);
	fx_object(fx, SCHED_CLASS_COND, 8);
	assert_int_equal(scheduler_object_find(fx->s, SCHED_CLASS_MUTEX, 8), 0);
	assert_int_equal(scheduler_object_find(fx->s, SCHED_CLASS_COND, 8), 1);
}

static void test_object_reset__forgets_state_but_not_identity(void **state)
{
	struct fixture *fx = *state;
	uint32_t m = fx_object(fx, SCHED_CLASS_MUTEX, 0x10);
	struct sched_object *o = scheduler_object(fx->s, m);

	fx_tasks(fx, 2);
	fx_acquire(fx, m, 0);
	o->flags = SCHED_OBJECT_DESTROYED | SCHED_OBJECT_FOREIGN;
	fx_wait(fx, m, 1);
	scheduler_object_reset(fx->s, m);
	fx_check(fx);
	assert_int_equal(o->owner, 0);
	assert_int_equal(o->count, 0);
	assert_int_equal(o->flags, 0);
	assert_int_equal(o->nr_waiters, 1);
	assert_int_equal(fx_object(fx, SCHED_CLASS_MUTEX, 0x10), m);
}

/* Tasks may still be on their way out when a barrier gets its next use. */
static void test_object_reset__does_not_close_an_opened_barrier(void **state)
{
	struct fixture *fx = *state;
	uint32_t b = fx_object(fx, SCHED_CLASS_BARRIER, 0x10);

	fx_tasks(fx, 2);
	scheduler_object(fx->s, b)->limit = 2;
	scheduler_barrier_arrive(fx->s, b, 0);
	fx_at(fx, 0, EXPLORE_OP_BARRIER_LEAVE, b);
	scheduler_barrier_arrive(fx->s, b, 1);
	scheduler_object_reset(fx->s, b);
	fx_check(fx);
	assert_true(fx_enabled(fx, 0));
}

/* ---------------------------------------------------------------- locks */

static void test_acquire__counts_recursion(void **state)
{
	struct fixture *fx = *state;
	uint32_t m = fx_object(fx, SCHED_CLASS_MUTEX, 0x10);
	struct sched_object *o = scheduler_object(fx->s, m);

	fx_tasks(fx, 2);
	fx_acquire(fx, m, 1);
	fx_acquire(fx, m, 1);
	assert_int_equal(o->owner, 2);
	assert_int_equal(o->count, 2);
	fx_release(fx, m);
	assert_int_equal(o->owner, 2);
	fx_release(fx, m);
	assert_int_equal(o->owner, 0);
	assert_int_equal(o->count, 0);
	fx_release(fx, m);
	assert_int_equal(o->count, 0);
}

static void test_acquire__takes_a_rwlock_as_writer(void **state)
{
	struct fixture *fx = *state;
	uint32_t rw = fx_object(fx, SCHED_CLASS_RWLOCK, 0x10);
	struct sched_object *o = scheduler_object(fx->s, rw);

	fx_task(fx);
	fx_acquire(fx, rw, 0);
	assert_int_equal(o->owner, 1);
	assert_int_equal(o->count, 0);
	fx_release(fx, rw);
	assert_int_equal(o->owner, 0);
}

static void test_acquire_shared__lists_holders_while_there_is_room(void **state)
{
	struct fixture *fx = *state;
	uint32_t rw = fx_object(fx, SCHED_CLASS_RWLOCK, 0x10);
	struct sched_object *o = scheduler_object(fx->s, rw);

	fx_tasks(fx, SCHED_MAX_HOLDERS + 2);
	for (uint32_t t = 0; t < SCHED_MAX_HOLDERS + 2; t++)
		fx_read(fx, rw, t);
	assert_int_equal(o->count, SCHED_MAX_HOLDERS + 2);
	assert_int_equal(o->nr_holders, SCHED_MAX_HOLDERS);
	/* One that was listed and one that was not. */
	fx_unread(fx, rw, 0);
	assert_int_equal(o->nr_holders, SCHED_MAX_HOLDERS - 1);
	fx_unread(fx, rw, SCHED_MAX_HOLDERS + 1);
	assert_int_equal(o->nr_holders, SCHED_MAX_HOLDERS - 1);
	assert_int_equal(o->count, SCHED_MAX_HOLDERS);
	for (uint32_t i = 0; i < o->nr_holders; i++)
		assert_int_not_equal(o->holder[i], 0);
}

static void test_release_shared__by_a_stranger_lets_one_go(void **state)
{
	struct fixture *fx = *state;
	uint32_t rw = fx_object(fx, SCHED_CLASS_RWLOCK, 0x10);
	struct sched_object *o = scheduler_object(fx->s, rw);

	fx_tasks(fx, 3);
	fx_read(fx, rw, 0);
	fx_unread(fx, rw, 2);
	assert_int_equal(o->count, 0);
	assert_int_equal(o->nr_holders, 0);
	fx_unread(fx, rw, 2);
	assert_int_equal(o->count, 0);
}

/* --------------------------------------------------------------- queues */

static uint32_t wake(struct fixture *fx, uint32_t id, uint32_t max,
		     uint32_t mask)
{
	uint32_t nr = UINT32_MAX;

	assert_int_equal(scheduler_wake(fx->s, &fx->env, id, max, mask, &nr),
			 SCHED_RUN);
	fx_check(fx);
	return nr;
}

static bool is_woken(const struct fixture *fx, uint32_t t)
{
	return fx->s->task[t].wake == SCHED_WAKE_WOKEN &&
	       !fx->s->task[t].wait_object;
}

/* A condition with nr waiting tasks, 0 .. nr - 1. */
static uint32_t queue(struct fixture *fx, uint32_t nr)
{
	uint32_t cond;

	fx_tasks(fx, nr);
	cond = fx_object(fx, SCHED_CLASS_COND, 0x10);
	for (uint32_t t = 0; t < nr; t++)
		fx_wait(fx, cond, t);
	return cond;
}

static void test_wait__makes_the_task_a_waiter(void **state)
{
	struct fixture *fx = *state;
	uint32_t cond = fx_object(fx, SCHED_CLASS_COND, 0x10);

	fx_task(fx);
	fx->s->task[0].wake = SCHED_WAKE_TIMEOUT;
	scheduler_wait(fx->s, cond, 0, 6);
	fx_check(fx);
	assert_int_equal(fx->s->task[0].wait_object, cond);
	assert_int_equal(fx->s->task[0].wake, SCHED_WAKE_NONE);
	assert_int_equal(fx->s->task[0].wait_mask, 6);
	assert_int_equal(scheduler_object(fx->s, cond)->nr_waiters, 1);
}

static void test_wait__leaves_the_queue_it_was_in(void **state)
{
	struct fixture *fx = *state;
	uint32_t a = queue(fx, 2);
	uint32_t b = fx_object(fx, SCHED_CLASS_COND, 0x20);

	fx_wait(fx, b, 0);
	assert_int_equal(scheduler_object(fx->s, a)->nr_waiters, 1);
	assert_int_equal(scheduler_object(fx->s, b)->nr_waiters, 1);
}

static void test_unwait__takes_out_from_any_place(void **state)
{
	struct fixture *fx = *state;

	for (uint32_t out = 0; out < 3; out++) {
		uint32_t cond;

		fx_init(fx);
		cond = queue(fx, 3);
		scheduler_unwait(fx->s, out, SCHED_WAKE_INTERRUPTED);
		fx_check(fx);
		assert_int_equal(fx->s->task[out].wake,
				 SCHED_WAKE_INTERRUPTED);
		assert_int_equal(scheduler_object(fx->s, cond)->nr_waiters, 2);
		/* The queue still works at both ends. */
		fx_wait(fx, cond, out);
		assert_int_equal(wake(fx, cond, 2, UINT32_MAX), 2);
		assert_false(is_woken(fx, out));
	}
}

static void test_unwait__does_nothing_without_a_wait(void **state)
{
	struct fixture *fx = *state;

	fx_task(fx);
	fx->s->task[0].wake = SCHED_WAKE_WOKEN;
	scheduler_unwait(fx->s, 0, SCHED_WAKE_TIMEOUT);
	fx_check(fx);
	assert_int_equal(fx->s->task[0].wake, SCHED_WAKE_WOKEN);
}

static void test_wake__goes_in_queue_order(void **state)
{
	struct fixture *fx = *state;
	uint32_t cond = fx_object(fx, SCHED_CLASS_COND, 0x10);

	fx_tasks(fx, 3);
	fx_wait(fx, cond, 2);
	fx_wait(fx, cond, 0);
	fx_wait(fx, cond, 1);
	assert_int_equal(wake(fx, cond, 1, UINT32_MAX), 1);
	assert_true(is_woken(fx, 2));
	assert_int_equal(wake(fx, cond, 1, UINT32_MAX), 1);
	assert_true(is_woken(fx, 0));
	assert_false(is_woken(fx, 1));
	assert_int_equal(fx->nr_asked, 0);
}

static void test_wake__counts_those_there_are(void **state)
{
	struct fixture *fx = *state;
	uint32_t cond = queue(fx, 2);

	assert_int_equal(wake(fx, cond, 0, UINT32_MAX), 0);
	assert_int_equal(wake(fx, cond, UINT32_MAX, UINT32_MAX), 2);
	assert_int_equal(wake(fx, cond, 1, UINT32_MAX), 0);
}

static void test_wake__skips_those_the_mask_does_not_meet(void **state)
{
	struct fixture *fx = *state;
	uint32_t f = fx_object(fx, SCHED_CLASS_FUTEX, 0x10);

	fx_tasks(fx, 4);
	for (uint32_t t = 0; t < 4; t++)
		scheduler_wait(fx->s, f, t, t & 1 ? 2 : 1);
	fx_check(fx);
	assert_int_equal(wake(fx, f, 8, 2), 2);
	assert_false(is_woken(fx, 0));
	assert_true(is_woken(fx, 1));
	assert_false(is_woken(fx, 2));
	assert_true(is_woken(fx, 3));
	assert_int_equal(wake(fx, f, 8, 3), 2);
}

static void test_wake__asks_the_strategy_with_wake_any(void **state)
{
	struct fixture *fx = *state;
	uint32_t cond;

	fx->config.wake_any = 1;
	fx_init(fx);
	fx_tasks(fx, 1);
	cond = fx_object(fx, SCHED_CLASS_COND, 0x10);
	fx_tasks(fx, 3);
	fx_run(fx, 0);
	fx_wait(fx, cond, 3);
	fx_wait(fx, cond, 2);
	fx_wait(fx, cond, 1);
	fx->want = 2;
	assert_int_equal(wake(fx, cond, 1, UINT32_MAX), 1);
	assert_true(is_woken(fx, 2));
	assert_int_equal(fx->point.kind, EXPLORE_POINT_WAKE);
	assert_int_equal(fx->point.nr, 3);
	for (uint32_t i = 0; i < 3; i++)	/* ascending */
		assert_int_equal(fx->candidate[i].task, i + 1);
	assert_int_equal(fx_last(fx)->point, EXPLORE_POINT_WAKE);
	assert_int_equal(fx_last(fx)->kind, EXPLORE_OP_WAKE_ORDER);
	assert_int_equal(fx_last(fx)->object, cond);
	assert_int_equal(fx_last(fx)->task, 0);
	assert_int_equal(fx_last(fx)->chosen, 2);
	assert_int_equal(fx_last(fx)->nr, 3);
}

/* Who of three goes, when two are woken: two questions. */
static void test_wake__asks_again_for_each_one_woken(void **state)
{
	struct fixture *fx = *state;
	uint32_t cond;

	fx->config.wake_any = 1;
	fx_init(fx);
	cond = queue(fx, 3);
	assert_int_equal(wake(fx, cond, 2, UINT32_MAX), 2);
	assert_int_equal(fx->nr_asked, 2);
	assert_int_equal(fx->s->step, 2);
}

static void test_wake__is_no_choice_when_all_are_woken(void **state)
{
	struct fixture *fx = *state;
	uint32_t cond;

	fx->config.wake_any = 1;
	fx_init(fx);
	cond = queue(fx, 3);
	assert_int_equal(wake(fx, cond, UINT32_MAX, UINT32_MAX), 3);
	/* Also when the mask leaves only one. */
	scheduler_wait(fx->s, cond, 0, 1);
	scheduler_wait(fx->s, cond, 1, 2);
	assert_int_equal(wake(fx, cond, 1, 2), 1);
	assert_true(is_woken(fx, 1));
	assert_int_equal(fx->nr_asked, 0);
	assert_int_equal(fx->s->step, 0);
}

static void test_wake__reports_a_bad_answer(void **state)
{
	struct fixture *fx = *state;
	uint32_t nr = 7;
	uint32_t cond;

	fx->config.wake_any = 1;
	fx_init(fx);
	cond = queue(fx, 3);
	fx->raw_index = 3;
	assert_int_equal(scheduler_wake(fx->s, &fx->env, cond, 1, UINT32_MAX,
					&nr), SCHED_BAD_PICK);
	assert_int_equal(nr, 0);
	assert_int_equal(scheduler_object(fx->s, cond)->nr_waiters, 3);
	fx_check(fx);
}

static void test_requeue__moves_to_the_end_in_order(void **state)
{
	struct fixture *fx = *state;
	uint32_t from = queue(fx, 4);
	uint32_t to = fx_object(fx, SCHED_CLASS_FUTEX, 0x20);

	fx_wait(fx, to, 3);
	assert_int_equal(scheduler_requeue(fx->s, from, to, 2), 2);
	fx_check(fx);
	assert_int_equal(scheduler_object(fx->s, from)->nr_waiters, 1);
	assert_int_equal(wake(fx, to, 2, UINT32_MAX), 2);
	assert_true(is_woken(fx, 3));
	assert_true(is_woken(fx, 0));
	assert_int_equal(fx->s->task[1].wait_object, to);
	assert_int_equal(fx->s->task[1].wake, SCHED_WAKE_NONE);
	assert_int_equal(scheduler_requeue(fx->s, from, to, 9), 1);
	assert_int_equal(scheduler_requeue(fx->s, from, to, 9), 0);
}

static void test_requeue__to_itself_ends(void **state)
{
	struct fixture *fx = *state;
	uint32_t cond = queue(fx, 3);

	assert_int_equal(scheduler_requeue(fx->s, cond, cond, UINT32_MAX), 3);
	fx_check(fx);
	assert_int_equal(scheduler_object(fx->s, cond)->nr_waiters, 3);
}

/* ------------------------------------------------------------- barriers */

static void test_barrier_arrive__opens_for_the_last(void **state)
{
	struct fixture *fx = *state;
	uint32_t b = fx_object(fx, SCHED_CLASS_BARRIER, 0x10);
	struct sched_object *o = scheduler_object(fx->s, b);

	fx_tasks(fx, 3);
	o->limit = 3;
	for (int generation = 0; generation < 3; generation++) {
		assert_false(scheduler_barrier_arrive(fx->s, b, 0));
		assert_false(scheduler_barrier_arrive(fx->s, b, 1));
		assert_int_equal(o->count, 2);
		assert_true(scheduler_barrier_arrive(fx->s, b, 2));
		assert_int_equal(o->count, 0);
		assert_int_equal(o->generation, generation + 1);
		fx_check(fx);
	}
}

static void test_barrier_arrive__of_one_always_opens(void **state)
{
	struct fixture *fx = *state;
	uint32_t b = fx_object(fx, SCHED_CLASS_BARRIER, 0x10);

	fx_task(fx);
	scheduler_object(fx->s, b)->limit = 1;
	assert_true(scheduler_barrier_arrive(fx->s, b, 0));
	assert_true(scheduler_barrier_arrive(fx->s, b, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_object_id__counts_from_one_by_first_use),
		FX_TEST(test_object_id__tells_classes_at_one_address_apart),
		FX_TEST(test_object_id__remembers_the_first_code),
		FX_TEST(test_object_id__keeps_ids_while_the_table_grows),
		FX_TEST(test_object_id__returns_0_when_full),
		FX_TEST(test_object_find__makes_none),
		FX_TEST(test_object_reset__forgets_state_but_not_identity),
		FX_TEST(test_object_reset__does_not_close_an_opened_barrier),
		FX_TEST(test_acquire__counts_recursion),
		FX_TEST(test_acquire__takes_a_rwlock_as_writer),
		FX_TEST(test_acquire_shared__lists_holders_while_there_is_room),
		FX_TEST(test_release_shared__by_a_stranger_lets_one_go),
		FX_TEST(test_wait__makes_the_task_a_waiter),
		FX_TEST(test_wait__leaves_the_queue_it_was_in),
		FX_TEST(test_unwait__takes_out_from_any_place),
		FX_TEST(test_unwait__does_nothing_without_a_wait),
		FX_TEST(test_wake__goes_in_queue_order),
		FX_TEST(test_wake__counts_those_there_are),
		FX_TEST(test_wake__skips_those_the_mask_does_not_meet),
		FX_TEST(test_wake__asks_the_strategy_with_wake_any),
		FX_TEST(test_wake__asks_again_for_each_one_woken),
		FX_TEST(test_wake__is_no_choice_when_all_are_woken),
		FX_TEST(test_wake__reports_a_bad_answer),
		FX_TEST(test_requeue__moves_to_the_end_in_order),
		FX_TEST(test_requeue__to_itself_ends),
		FX_TEST(test_barrier_arrive__opens_for_the_last),
		FX_TEST(test_barrier_arrive__of_one_always_opens),
	};

	return cmocka_run_group_tests_name("scheduler_objects", tests, NULL,
					   NULL);
}
