/* SPDX-License-Identifier: MIT */
/*
 * test_scheduler_enabled.c - what each kind of operation needs to run.
 */
#include "scheduler_fixture.h"
#include "scheduler/objects.h"

/* ---------------------------------------------------------------- locks */

static void check_exclusive_lock(struct fixture *fx, enum sched_class class,
				 uint16_t kind)
{
	uint32_t lock;

	fx_init(fx);
	fx_tasks(fx, 2);
	lock = fx_object(fx, class, 0x40);
	fx_at(fx, 0, kind, lock);
	assert_true(fx_enabled(fx, 0));
	fx_acquire(fx, lock, 1);
	assert_false(fx_enabled(fx, 0));
	fx_release(fx, lock);
	assert_true(fx_enabled(fx, 0));
	/* Relocking is for the runtime to judge. */
	fx_acquire(fx, lock, 0);
	assert_true(fx_enabled(fx, 0));
}

static void test_is_enabled__lock_needs_it_free_or_own(void **state)
{
	struct fixture *fx = *state;

	check_exclusive_lock(fx, SCHED_CLASS_MUTEX, EXPLORE_OP_MUTEX_LOCK);
	check_exclusive_lock(fx, SCHED_CLASS_MUTEX, EXPLORE_OP_MUTEX_TIMEDLOCK);
	check_exclusive_lock(fx, SCHED_CLASS_SPIN, EXPLORE_OP_SPIN_LOCK);
	check_exclusive_lock(fx, SCHED_CLASS_RWLOCK, EXPLORE_OP_RWLOCK_RDLOCK);
	check_exclusive_lock(fx, SCHED_CLASS_RWLOCK,
			     EXPLORE_OP_RWLOCK_TIMEDRDLOCK);
	check_exclusive_lock(fx, SCHED_CLASS_RWLOCK, EXPLORE_OP_RWLOCK_WRLOCK);
	check_exclusive_lock(fx, SCHED_CLASS_RWLOCK,
			     EXPLORE_OP_RWLOCK_TIMEDWRLOCK);
	check_exclusive_lock(fx, SCHED_CLASS_FUTEX, EXPLORE_OP_FUTEX_LOCK_PI);
}

static void test_is_enabled__recursion_ends_at_the_last_release(void **state)
{
	struct fixture *fx = *state;
	uint32_t m = fx_object(fx, SCHED_CLASS_MUTEX, 0x40);

	fx_tasks(fx, 2);
	fx_at(fx, 0, EXPLORE_OP_MUTEX_LOCK, m);
	fx_acquire(fx, m, 1);
	fx_acquire(fx, m, 1);
	fx_release(fx, m);
	assert_false(fx_enabled(fx, 0));
	fx_release(fx, m);
	assert_true(fx_enabled(fx, 0));
}

static void test_is_enabled__foreign_lock_counts_as_free(void **state)
{
	static const uint16_t kind[] = {
		EXPLORE_OP_RWLOCK_RDLOCK,
		EXPLORE_OP_RWLOCK_WRLOCK,
	};
	struct fixture *fx = *state;
	uint32_t m = fx_object(fx, SCHED_CLASS_MUTEX, 0x40);
	uint32_t rw = fx_object(fx, SCHED_CLASS_RWLOCK, 0x80);

	fx_tasks(fx, 2);
	fx_acquire(fx, m, 1);
	fx_at(fx, 0, EXPLORE_OP_MUTEX_LOCK, m);
	scheduler_object(fx->s, m)->flags |= SCHED_OBJECT_FOREIGN;
	assert_true(fx_enabled(fx, 0));
	scheduler_object(fx->s, rw)->flags |= SCHED_OBJECT_FOREIGN;
	for (int i = 0; i < 2; i++) {
		fx_acquire(fx, rw, 1);
		fx_at(fx, 0, kind[i], rw);
		assert_true(fx_enabled(fx, 0));
		fx_release(fx, rw);
		fx_read(fx, rw, 1);
		assert_true(fx_enabled(fx, 0));
		fx_unread(fx, rw, 1);
	}
}

static void test_is_enabled__writer_waits_for_all_readers(void **state)
{
	struct fixture *fx = *state;
	uint32_t rw = fx_object(fx, SCHED_CLASS_RWLOCK, 0x40);

	fx_tasks(fx, 3);
	fx_at(fx, 0, EXPLORE_OP_RWLOCK_WRLOCK, rw);
	fx_read(fx, rw, 1);
	fx_read(fx, rw, 2);
	assert_false(fx_enabled(fx, 0));
	fx_unread(fx, rw, 1);
	assert_false(fx_enabled(fx, 0));
	fx_unread(fx, rw, 2);
	assert_true(fx_enabled(fx, 0));
}

static void test_is_enabled__reader_joins_readers(void **state)
{
	struct fixture *fx = *state;
	uint32_t rw = fx_object(fx, SCHED_CLASS_RWLOCK, 0x40);

	fx_tasks(fx, 3);
	fx_read(fx, rw, 1);
	fx_at(fx, 2, EXPLORE_OP_RWLOCK_WRLOCK, rw);
	fx_at(fx, 0, EXPLORE_OP_RWLOCK_RDLOCK, rw);
	assert_true(fx_enabled(fx, 0));
}

static void test_is_enabled__preferred_writer_keeps_readers_out(void **state)
{
	struct fixture *fx = *state;
	uint32_t rw = fx_object(fx, SCHED_CLASS_RWLOCK, 0x40);

	fx_tasks(fx, 3);
	scheduler_object(fx->s, rw)->flags |= SCHED_OBJECT_PREFERS_WRITER;
	fx_read(fx, rw, 1);
	fx_at(fx, 0, EXPLORE_OP_RWLOCK_RDLOCK, rw);
	assert_true(fx_enabled(fx, 0));
	fx_at(fx, 2, EXPLORE_OP_RWLOCK_TIMEDWRLOCK, rw);
	assert_false(fx_enabled(fx, 0));
	fx_at(fx, 2, EXPLORE_OP_RWLOCK_WRLOCK, rw);
	assert_false(fx_enabled(fx, 0));
	/* With the lock free the writer does not wait: either may be first. */
	fx_unread(fx, rw, 1);
	assert_true(fx_enabled(fx, 0));
	assert_true(fx_enabled(fx, 2));
	fx_read(fx, rw, 1);
	fx_exit(fx, 2);
	assert_true(fx_enabled(fx, 0));
}

/* ---------------------------------------------------------------- waits */

static void test_is_enabled__sem_wait_needs_a_value(void **state)
{
	static const uint16_t kind[] = {
		EXPLORE_OP_SEM_WAIT,
		EXPLORE_OP_SEM_TIMEDWAIT,
	};
	struct fixture *fx = *state;
	uint32_t sem = fx_object(fx, SCHED_CLASS_SEM, 0x40);

	fx_task(fx);
	for (int i = 0; i < 2; i++) {
		fx_at(fx, 0, kind[i], sem);
		scheduler_object(fx->s, sem)->count = 0;
		assert_false(fx_enabled(fx, 0));
		scheduler_object(fx->s, sem)->count = 1;
		assert_true(fx_enabled(fx, 0));
	}
}

static void announce_cond_wake(struct fixture *fx, uint32_t t, uint32_t cond,
			       uint32_t mutex, uint64_t deadline_ns)
{
	fx_announce(fx, t,
		    &(struct sched_announce){ .kind = EXPLORE_OP_COND_WAKE,
					      .object = cond,
					      .object2 = mutex,
					      .deadline_ns = deadline_ns });
}

static void test_is_enabled__cond_wake_needs_signal_and_mutex(void **state)
{
	struct fixture *fx = *state;
	uint32_t cond = fx_object(fx, SCHED_CLASS_COND, 0x40);
	uint32_t m = fx_object(fx, SCHED_CLASS_MUTEX, 0x80);

	fx_tasks(fx, 2);
	fx_wait(fx, cond, 0);
	announce_cond_wake(fx, 0, cond, m, 0);
	assert_false(fx_enabled(fx, 0));
	fx_acquire(fx, m, 1);
	scheduler_unwait(fx->s, 0, SCHED_WAKE_WOKEN);
	assert_false(fx_enabled(fx, 0));
	scheduler_object(fx->s, m)->flags |= SCHED_OBJECT_FOREIGN;
	assert_true(fx_enabled(fx, 0));
	scheduler_object(fx->s, m)->flags = 0;
	fx_release(fx, m);
	assert_true(fx_enabled(fx, 0));
}

static void test_is_enabled__cond_wake_without_mutex(void **state)
{
	struct fixture *fx = *state;
	uint32_t cond = fx_object(fx, SCHED_CLASS_COND, 0x40);

	fx_task(fx);
	fx_wait(fx, cond, 0);
	announce_cond_wake(fx, 0, cond, 0, 0);
	assert_false(fx_enabled(fx, 0));
	scheduler_unwait(fx->s, 0, SCHED_WAKE_WOKEN);
	assert_true(fx_enabled(fx, 0));
}

/* Time and signals replace being woken, never the mutex. */
static void test_is_enabled__cond_wake_by_time_needs_the_mutex(void **state)
{
	struct fixture *fx = *state;
	uint32_t cond = fx_object(fx, SCHED_CLASS_COND, 0x40);
	uint32_t m = fx_object(fx, SCHED_CLASS_MUTEX, 0x80);

	fx_tasks(fx, 3);
	fx_acquire(fx, m, 1);
	fx_wait(fx, cond, 0);
	announce_cond_wake(fx, 0, cond, m, 50);
	fx_wait(fx, cond, 2);
	announce_cond_wake(fx, 2, cond, m, 0);
	fx->s->task[2].flags |= SCHED_TASK_INTERRUPTED;
	scheduler_advance(fx->s, 50);
	assert_false(fx_enabled(fx, 0));
	assert_false(fx_enabled(fx, 2));
	fx_release(fx, m);
	assert_true(fx_enabled(fx, 0));
	assert_true(fx_enabled(fx, 2));
}

static void test_is_enabled__join_needs_a_dead_target(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 3);
	fx_at(fx, 0, EXPLORE_OP_THREAD_JOIN,
	      scheduler_object_find(fx->s, SCHED_CLASS_THREAD, 2));
	fx_exit(fx, 1);
	assert_false(fx_enabled(fx, 0));
	fx_exit(fx, 2);
	assert_true(fx_enabled(fx, 0));
}

static void test_is_enabled__barrier_leave_needs_it_opened(void **state)
{
	struct fixture *fx = *state;
	uint32_t b = fx_object(fx, SCHED_CLASS_BARRIER, 0x40);

	fx_tasks(fx, 2);
	scheduler_object(fx->s, b)->limit = 2;
	assert_false(scheduler_barrier_arrive(fx->s, b, 0));
	fx_at(fx, 0, EXPLORE_OP_BARRIER_LEAVE, b);
	assert_false(fx_enabled(fx, 0));
	assert_true(scheduler_barrier_arrive(fx->s, b, 1));
	assert_true(fx_enabled(fx, 0));
	/* The next generation does not hold back those of the last. */
	assert_false(scheduler_barrier_arrive(fx->s, b, 1));
	fx_at(fx, 1, EXPLORE_OP_BARRIER_LEAVE, b);
	assert_true(fx_enabled(fx, 0));
	assert_false(fx_enabled(fx, 1));
}

static void test_is_enabled__futex_resume_needs_a_wake(void **state)
{
	struct fixture *fx = *state;
	uint32_t f = fx_object(fx, SCHED_CLASS_FUTEX, 0x40);

	fx_task(fx);
	fx_wait(fx, f, 0);
	fx_at(fx, 0, EXPLORE_OP_FUTEX_RESUME, f);
	assert_false(fx_enabled(fx, 0));
	scheduler_unwait(fx->s, 0, SCHED_WAKE_WOKEN);
	assert_true(fx_enabled(fx, 0));
}

static void test_is_enabled__lock_pi_also_by_hand_over(void **state)
{
	struct fixture *fx = *state;
	uint32_t f = fx_object(fx, SCHED_CLASS_FUTEX, 0x40);

	fx_tasks(fx, 2);
	fx_acquire(fx, f, 1);
	fx_wait(fx, f, 0);
	fx_at(fx, 0, EXPLORE_OP_FUTEX_LOCK_PI, f);
	assert_false(fx_enabled(fx, 0));
	scheduler_unwait(fx->s, 0, SCHED_WAKE_WOKEN);
	assert_true(fx_enabled(fx, 0));
}

static void test_is_enabled__outside_waits_need_ready(void **state)
{
	static const uint16_t kind[] = {
		EXPLORE_OP_SYSCALL,
		EXPLORE_OP_CHILD_WAIT,
		EXPLORE_OP_SIGNAL_WAIT,
	};
	struct fixture *fx = *state;

	fx_task(fx);
	for (int i = 0; i < 3; i++) {
		struct sched_announce a = { .kind = kind[i] };

		fx_announce(fx, 0, &a);
		assert_true(fx_enabled(fx, 0));
		a.flags = EXPLORE_OP_F_BLOCKING;
		fx_announce(fx, 0, &a);
		assert_false(fx_enabled(fx, 0));
		fx->s->task[0].flags |= SCHED_TASK_READY;
		assert_true(fx_enabled(fx, 0));
	}
}

/* -------------------------------------------------- time, interruptions */

/* Puts task 0 at each kind in turn so that only time or a signal helps. */
static const struct {
	uint16_t kind;
	uint8_t class;
	bool is_interruptible;
} blocked[] = {
	{ EXPLORE_OP_MUTEX_LOCK, SCHED_CLASS_MUTEX, false },
	{ EXPLORE_OP_MUTEX_TIMEDLOCK, SCHED_CLASS_MUTEX, false },
	{ EXPLORE_OP_SPIN_LOCK, SCHED_CLASS_SPIN, false },
	{ EXPLORE_OP_RWLOCK_RDLOCK, SCHED_CLASS_RWLOCK, false },
	{ EXPLORE_OP_RWLOCK_TIMEDRDLOCK, SCHED_CLASS_RWLOCK, false },
	{ EXPLORE_OP_RWLOCK_WRLOCK, SCHED_CLASS_RWLOCK, false },
	{ EXPLORE_OP_RWLOCK_TIMEDWRLOCK, SCHED_CLASS_RWLOCK, false },
	{ EXPLORE_OP_FUTEX_LOCK_PI, SCHED_CLASS_FUTEX, false },
	{ EXPLORE_OP_BARRIER_LEAVE, SCHED_CLASS_BARRIER, false },
	{ EXPLORE_OP_COND_WAKE, SCHED_CLASS_COND, true },
	{ EXPLORE_OP_SEM_WAIT, SCHED_CLASS_SEM, true },
	{ EXPLORE_OP_SEM_TIMEDWAIT, SCHED_CLASS_SEM, true },
	{ EXPLORE_OP_THREAD_JOIN, SCHED_CLASS_THREAD, true },
	{ EXPLORE_OP_SLEEP, SCHED_CLASS_NONE, true },
	{ EXPLORE_OP_FUTEX_RESUME, SCHED_CLASS_FUTEX, true },
	{ EXPLORE_OP_SYSCALL, SCHED_CLASS_FD, true },
	{ EXPLORE_OP_CHILD_WAIT, SCHED_CLASS_CHILD, true },
	{ EXPLORE_OP_SIGNAL_WAIT, SCHED_CLASS_SIGNAL, true },
};

static void block(struct fixture *fx, size_t row, uint64_t deadline_ns)
{
	struct sched_announce a = {
		.kind = blocked[row].kind,
		.flags = EXPLORE_OP_F_BLOCKING,
		.deadline_ns = deadline_ns,
	};

	fx_init(fx);
	fx_tasks(fx, 2);
	if (blocked[row].class)
		a.object = fx_object(fx, blocked[row].class, 1);
	if (blocked[row].class == SCHED_CLASS_MUTEX ||
	    blocked[row].class == SCHED_CLASS_SPIN ||
	    blocked[row].class == SCHED_CLASS_RWLOCK ||
	    blocked[row].class == SCHED_CLASS_FUTEX)
		fx_acquire(fx, a.object, 1);
	fx_announce(fx, 0, &a);
}

static void test_is_enabled__deadline_ends_every_wait(void **state)
{
	struct fixture *fx = *state;

	fx->config.slack_ns = 5;
	for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++) {
		block(fx, i, 1000);
		assert_false(fx_enabled(fx, 0));
		scheduler_advance(fx->s, 994);
		assert_false(fx_enabled(fx, 0));
		scheduler_advance(fx->s, 995);
		assert_true(fx_enabled(fx, 0));
	}
}

static void test_is_enabled__no_deadline_never_comes(void **state)
{
	struct fixture *fx = *state;

	fx->config.slack_ns = 5;
	for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++) {
		block(fx, i, 0);
		scheduler_advance(fx->s, UINT64_MAX - 10);
		assert_false(fx_enabled(fx, 0));
	}
}

static void test_is_enabled__interruption_ends_waits_but_not_locks(void **state)
{
	struct fixture *fx = *state;

	for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++) {
		block(fx, i, 0);
		assert_false(fx_enabled(fx, 0));
		fx->s->task[0].flags |= SCHED_TASK_INTERRUPTED;
		assert_int_equal(fx_enabled(fx, 0),
				 blocked[i].is_interruptible);
	}
}

static void test_is_enabled__other_kinds_always(void **state)
{
	static const uint16_t kind[] = {
		EXPLORE_OP_THREAD_START,   EXPLORE_OP_THREAD_EXIT,
		EXPLORE_OP_MUTEX_TRYLOCK,  EXPLORE_OP_MUTEX_UNLOCK,
		EXPLORE_OP_RWLOCK_TRYRDLOCK, EXPLORE_OP_COND_WAIT,
		EXPLORE_OP_COND_SIGNAL,	   EXPLORE_OP_SEM_TRYWAIT,
		EXPLORE_OP_BARRIER_WAIT,   EXPLORE_OP_FUTEX_WAIT,
		EXPLORE_OP_YIELD,	   EXPLORE_OP_SPIN,
		EXPLORE_OP_MEMORY_WRITE,   EXPLORE_OP_PROCESS_EXIT,
	};
	struct fixture *fx = *state;
	uint32_t m = fx_object(fx, SCHED_CLASS_MUTEX, 0x40);

	fx_tasks(fx, 2);
	fx_acquire(fx, m, 1);
	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
		fx_at(fx, 0, kind[i], m);
		assert_true(fx_enabled(fx, 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_is_enabled__lock_needs_it_free_or_own),
		FX_TEST(test_is_enabled__recursion_ends_at_the_last_release),
		FX_TEST(test_is_enabled__foreign_lock_counts_as_free),
		FX_TEST(test_is_enabled__writer_waits_for_all_readers),
		FX_TEST(test_is_enabled__reader_joins_readers),
		FX_TEST(test_is_enabled__preferred_writer_keeps_readers_out),
		FX_TEST(test_is_enabled__sem_wait_needs_a_value),
		FX_TEST(test_is_enabled__cond_wake_needs_signal_and_mutex),
		FX_TEST(test_is_enabled__cond_wake_without_mutex),
		FX_TEST(test_is_enabled__cond_wake_by_time_needs_the_mutex),
		FX_TEST(test_is_enabled__join_needs_a_dead_target),
		FX_TEST(test_is_enabled__barrier_leave_needs_it_opened),
		FX_TEST(test_is_enabled__futex_resume_needs_a_wake),
		FX_TEST(test_is_enabled__lock_pi_also_by_hand_over),
		FX_TEST(test_is_enabled__outside_waits_need_ready),
		FX_TEST(test_is_enabled__deadline_ends_every_wait),
		FX_TEST(test_is_enabled__no_deadline_never_comes),
		FX_TEST(test_is_enabled__interruption_ends_waits_but_not_locks),
		FX_TEST(test_is_enabled__other_kinds_always),
	};

	return cmocka_run_group_tests_name("scheduler_enabled", tests, NULL,
					   NULL);
}
