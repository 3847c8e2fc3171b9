/* SPDX-License-Identifier: MIT */
/*
 * test_scheduler_cycle.c - deadlocks among some of the tasks.
 */
#include "scheduler_fixture.h"
#include "scheduler/objects.h"
#include "scheduler/cycle.h"

struct cycle {
	uint32_t nr;
	uint32_t task[8];
};

static struct cycle find(struct fixture *fx, uint32_t t)
{
	struct cycle c = { 0 };

	c.nr = scheduler_find_cycle(fx->s, t, c.task, 8);
	return c;
}

/* Task t holds lock t and wants lock (t + 1) % nr. Returns the first lock. */
static uint32_t ring(struct fixture *fx, uint32_t nr)
{
	uint32_t first;

	fx_tasks(fx, nr);
	first = fx->s->nr_objects + 1;
	for (uint32_t t = 0; t < nr; t++)
		fx_acquire(fx, fx_object(fx, SCHED_CLASS_MUTEX, t * 40), t);
	for (uint32_t t = 0; t < nr; t++)
		fx_at(fx, t, EXPLORE_OP_MUTEX_LOCK, first + (t + 1) % nr);
	return first;
}

static void test_find_cycle__follows_owners_around(void **state)
{
	struct fixture *fx = *state;
	struct cycle c;

	ring(fx, 3);
	c = find(fx, 1);
	assert_int_equal(c.nr, 3);
	assert_int_equal(c.task[0], 1);
	assert_int_equal(c.task[1], 2);
	assert_int_equal(c.task[2], 0);
}

static void test_find_cycle__stores_no_more_than_there_is_room_for(void **state)
{
	struct fixture *fx = *state;
	uint32_t task[3] = { 99, 99, 99 };

	ring(fx, 4);
	assert_int_equal(scheduler_find_cycle(fx->s, 0, task, 2), 2);
	assert_int_equal(task[1], 1);
	assert_int_equal(task[2], 99);
}

static void test_find_cycle__needs_the_task_in_it(void **state)
{
	struct fixture *fx = *state;
	uint32_t first = ring(fx, 2);
	uint32_t t = fx_task(fx);

	fx_at(fx, t, EXPLORE_OP_MUTEX_LOCK, first);
	assert_int_equal(find(fx, t).nr, 0);
	assert_int_equal(find(fx, 0).nr, 2);
}

static void test_find_cycle__ends_at_one_who_can_go_on(void **state)
{
	struct fixture *fx = *state;

	ring(fx, 3);
	fx_at(fx, 2, EXPLORE_OP_YIELD, 0);
	assert_int_equal(find(fx, 0).nr, 0);
}

static void test_find_cycle__ends_at_a_dead_owner(void **state)
{
	struct fixture *fx = *state;

	ring(fx, 2);
	fx_task(fx);
	fx_exit(fx, 1);
	assert_int_equal(find(fx, 0).nr, 0);
}

static void test_find_cycle__ends_at_a_deadline(void **state)
{
	struct fixture *fx = *state;
	uint32_t first = ring(fx, 2);

	fx_until(fx, 1, EXPLORE_OP_MUTEX_LOCK, first, 1000);
	assert_int_equal(find(fx, 0).nr, 0);
	fx_until(fx, 1, EXPLORE_OP_MUTEX_TIMEDLOCK, first, 1000);
	assert_int_equal(find(fx, 0).nr, 0);
}

static void test_find_cycle__ends_at_a_foreign_lock(void **state)
{
	struct fixture *fx = *state;
	uint32_t first = ring(fx, 2);

	scheduler_object(fx->s, first)->flags |= SCHED_OBJECT_FOREIGN;
	assert_int_equal(find(fx, 0).nr, 0);
}

static void test_find_cycle__mixes_kinds_of_locks(void **state)
{
	struct fixture *fx = *state;
	uint32_t m, spin, rw, pi;

	fx_tasks(fx, 4);
	m = fx_object(fx, SCHED_CLASS_MUTEX, 0x10);
	spin = fx_object(fx, SCHED_CLASS_SPIN, 0x20);
	rw = fx_object(fx, SCHED_CLASS_RWLOCK, 0x30);
	pi = fx_object(fx, SCHED_CLASS_FUTEX, 0x40);
	fx_acquire(fx, m, 0);
	fx_acquire(fx, spin, 1);
	fx_acquire(fx, rw, 2);
	fx_acquire(fx, pi, 3);
	fx_at(fx, 0, EXPLORE_OP_SPIN_LOCK, spin);
	fx_at(fx, 1, EXPLORE_OP_RWLOCK_RDLOCK, rw);
	fx_at(fx, 2, EXPLORE_OP_FUTEX_LOCK_PI, pi);
	fx_at(fx, 3, EXPLORE_OP_MUTEX_LOCK, m);
	assert_int_equal(find(fx, 0).nr, 4);
	fx_at(fx, 1, EXPLORE_OP_RWLOCK_WRLOCK, rw);
	assert_int_equal(find(fx, 0).nr, 4);
	/* Handed over: it has what it waited for. */
	fx->s->task[2].wake = SCHED_WAKE_WOKEN;
	assert_int_equal(find(fx, 0).nr, 0);
}

static void test_find_cycle__includes_waiters_for_their_mutex(void **state)
{
	struct fixture *fx = *state;
	uint32_t cond, m, other;
	struct sched_announce a = { .kind = EXPLORE_OP_COND_WAKE };

	fx_tasks(fx, 2);
	cond = a.object = fx_object(fx, SCHED_CLASS_COND, 0x10);
	m = a.object2 = fx_object(fx, SCHED_CLASS_MUTEX, 0x20);
	other = fx_object(fx, SCHED_CLASS_MUTEX, 0x30);
	fx_acquire(fx, other, 0);
	fx_wait(fx, cond, 0);
	a.deadline_ns = 500;
	fx_announce(fx, 0, &a);
	fx_acquire(fx, m, 1);
	fx_at(fx, 1, EXPLORE_OP_MUTEX_LOCK, other);
	assert_int_equal(find(fx, 0).nr, 0);	/* may yet be signalled */
	scheduler_advance(fx->s, 500);		/* now it only needs m */
	assert_int_equal(find(fx, 0).nr, 2);
	fx->s->now_ns = 0;
	scheduler_unwait(fx->s, 0, SCHED_WAKE_WOKEN);
	assert_int_equal(find(fx, 0).nr, 2);
	assert_int_equal(find(fx, 1).nr, 2);
}

static void test_find_cycle__an_upgrade_waits_for_itself(void **state)
{
	struct fixture *fx = *state;
	uint32_t rw;
	struct cycle c;

	fx_tasks(fx, 2);
	rw = fx_object(fx, SCHED_CLASS_RWLOCK, 0x10);
	fx_read(fx, rw, 1);
	fx_at(fx, 1, EXPLORE_OP_RWLOCK_WRLOCK, rw);
	c = find(fx, 1);
	assert_int_equal(c.nr, 1);
	assert_int_equal(c.task[0], 1);
	fx_read(fx, rw, 1);		/* still nobody else */
	assert_int_equal(find(fx, 1).nr, 1);
	fx_read(fx, rw, 0);		/* who may or may not go on */
	assert_int_equal(find(fx, 1).nr, 0);
}

static void test_find_cycle__relocking_is_no_wait(void **state)
{
	struct fixture *fx = *state;
	uint32_t m;

	fx_task(fx);
	m = fx_object(fx, SCHED_CLASS_MUTEX, 0x10);
	fx_acquire(fx, m, 0);
	fx_at(fx, 0, EXPLORE_OP_MUTEX_LOCK, m);
	assert_int_equal(find(fx, 0).nr, 0);
}

/* Nobody knows who the readers beyond the list are. */
static void test_find_cycle__ends_at_an_unlisted_reader(void **state)
{
	struct fixture *fx = *state;
	uint32_t rw;

	fx_tasks(fx, 2);
	rw = fx_object(fx, SCHED_CLASS_RWLOCK, 0x10);
	for (int i = 0; i < SCHED_MAX_HOLDERS; i++)
		fx_read(fx, rw, 0);
	fx_at(fx, 0, EXPLORE_OP_RWLOCK_WRLOCK, rw);
	assert_int_equal(find(fx, 0).nr, 1);
	fx_read(fx, rw, 1);
	assert_int_equal(find(fx, 0).nr, 0);
}

/* Reads twice while a writer, who must come first, waits for the first. */
static void test_find_cycle__recursive_read_behind_a_writer(void **state)
{
	struct fixture *fx = *state;
	uint32_t rw;

	fx_tasks(fx, 2);
	rw = fx_object(fx, SCHED_CLASS_RWLOCK, 0x10);
	fx_read(fx, rw, 0);
	fx_at(fx, 1, EXPLORE_OP_RWLOCK_WRLOCK, rw);
	fx_at(fx, 0, EXPLORE_OP_RWLOCK_RDLOCK, rw);
	assert_int_equal(find(fx, 0).nr, 0);
	scheduler_object(fx->s, rw)->flags |= SCHED_OBJECT_PREFERS_WRITER;
	assert_false(fx_enabled(fx, 0));
	assert_int_equal(find(fx, 0).nr, 2);
	assert_int_equal(find(fx, 1).nr, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_find_cycle__follows_owners_around),
		FX_TEST(test_find_cycle__stores_no_more_than_there_is_room_for),
		FX_TEST(test_find_cycle__needs_the_task_in_it),
		FX_TEST(test_find_cycle__ends_at_one_who_can_go_on),
		FX_TEST(test_find_cycle__ends_at_a_dead_owner),
		FX_TEST(test_find_cycle__ends_at_a_deadline),
		FX_TEST(test_find_cycle__ends_at_a_foreign_lock),
		FX_TEST(test_find_cycle__mixes_kinds_of_locks),
		FX_TEST(test_find_cycle__includes_waiters_for_their_mutex),
		FX_TEST(test_find_cycle__an_upgrade_waits_for_itself),
		FX_TEST(test_find_cycle__ends_at_an_unlisted_reader),
		FX_TEST(test_find_cycle__relocking_is_no_wait),
		FX_TEST(test_find_cycle__recursive_read_behind_a_writer),
	};

	return cmocka_run_group_tests_name("scheduler_cycle", tests, NULL,
					   NULL);
}
