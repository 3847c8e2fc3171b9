/* SPDX-License-Identifier: MIT */
/*
 * test_scheduler_fairness.c - tasks that yield let the others go on.
 */
#include "scheduler_fixture.h"

/* A step in which `t` yields. */
static void run_yielding(struct fixture *fx, uint32_t t)
{
	fx_run(fx, t);
	fx_yield(fx, t);
	fx_at(fx, t, EXPLORE_OP_YIELD, 0);
}

/* Look at the next point without taking it: no answer is acceptable. */
static void peek(struct fixture *fx)
{
	fx->raw_index = SCHED_MAX_TASKS;
	assert_int_equal(fx_next(fx), SCHED_BAD_PICK);
	fx->raw_index = 0;
}

/* An unfair strategy: always `t` when it is offered, else the first. */
static uint32_t run_unfairly(struct fixture *fx, uint32_t t)
{
	peek(fx);
	fx->want = fx_offered(fx, t) ? t : FX_ANY;
	assert_int_equal(fx_next(fx), SCHED_RUN);
	return fx->s->current;
}

static void test_yielded__the_first_time_changes_nothing(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	run_yielding(fx, 0);
	peek(fx);
	assert_int_equal(fx->point.nr, 2);
	assert_int_equal(fx->point.previous, 0);
}

static void test_yielded__the_second_time_stands_back(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 3);
	run_yielding(fx, 0);
	run_yielding(fx, 0);
	peek(fx);
	assert_int_equal(fx->point.nr, 2);
	assert_false(fx_offered(fx, 0));
	assert_int_equal(fx->point.previous, -1);
	assert_int_equal(fx->point.previous_task, 0);
}

static void test_yielded__stands_back_until_all_of_them_ran(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 3);
	run_yielding(fx, 0);
	run_yielding(fx, 0);
	fx_run(fx, 1);
	peek(fx);
	assert_false(fx_offered(fx, 0));
	fx_run(fx, 2);
	peek(fx);
	assert_true(fx_offered(fx, 0));
}

static void test_yielded__strong_stands_back_at_once(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	fx_run(fx, 1);
	fx_run(fx, 0);
	scheduler_yielded(fx->s, 0, true);
	peek(fx);
	assert_false(fx_offered(fx, 0));
	fx_run(fx, 1);
	peek(fx);
	assert_true(fx_offered(fx, 0));
}

static void test_yielded__twice_in_one_step_counts_once(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	fx_run(fx, 0);
	fx_yield(fx, 0);
	fx_yield(fx, 0);
	peek(fx);
	assert_true(fx_offered(fx, 0));
}

static void test_yielded__not_behind_one_that_ran_since(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	run_yielding(fx, 0);
	fx_run(fx, 1);
	run_yielding(fx, 0);
	peek(fx);
	assert_true(fx_offered(fx, 0));
}

static void test_yielded__not_behind_one_enabled_only_since(void **state)
{
	struct fixture *fx = *state;
	uint32_t sem;

	fx_tasks(fx, 3);
	sem = fx_object(fx, SCHED_CLASS_SEM, 0x10);
	fx_at(fx, 1, EXPLORE_OP_SEM_WAIT, sem);
	run_yielding(fx, 0);
	scheduler_object(fx->s, sem)->count = 1;
	fx_run(fx, 2);
	run_yielding(fx, 0);
	peek(fx);
	assert_true(fx_offered(fx, 0));
	assert_true(fx_offered(fx, 1));
	/* It has been enabled for the whole of the next window. */
	run_yielding(fx, 0);
	peek(fx);
	assert_false(fx_offered(fx, 0));
}

static void test_yielded__not_behind_one_that_is_disabled(void **state)
{
	struct fixture *fx = *state;
	uint32_t sem;

	fx_tasks(fx, 2);
	sem = fx_object(fx, SCHED_CLASS_SEM, 0x10);
	run_yielding(fx, 0);
	run_yielding(fx, 0);
	peek(fx);
	assert_false(fx_offered(fx, 0));
	fx_at(fx, 1, EXPLORE_OP_SEM_WAIT, sem);
	peek(fx);
	assert_true(fx_offered(fx, 0));
}

/* Sleeping in a loop is polling, too. */
static void test_yielded__timeouts_count(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	for (int i = 0; i < 2; i++) {
		fx_until(fx, 0, EXPLORE_OP_SLEEP, 0, 1);
		fx_run(fx, 0);
	}
	fx_until(fx, 0, EXPLORE_OP_SLEEP, 0, 1);
	peek(fx);
	assert_false(fx_offered(fx, 0));
}

/* while (!done) yield(); on several tasks, all preferred to the worker. */
static void test_yielded__pollers_do_not_starve_a_worker(void **state)
{
	struct fixture *fx = *state;
	uint32_t nr_worked = 0;

	fx_tasks(fx, 5);
	for (uint32_t i = 0; i < 100; i++) {
		uint32_t t = run_unfairly(fx, i & 3);

		if (t == 4) {
			nr_worked++;
			continue;
		}
		fx_yield(fx, t);
		fx_at(fx, t, EXPLORE_OP_YIELD, 0);
	}
	assert_true(nr_worked >= 8);
}

/*
 * lock; look; unlock; yield: the worker that needs the lock is disabled again
 * and again by those who look.
 */
static void poll_under_lock(struct fixture *fx, uint32_t nr_pollers)
{
	uint32_t worker = nr_pollers;
	uint32_t m;

	fx_tasks(fx, nr_pollers + 1);
	m = fx_object(fx, SCHED_CLASS_MUTEX, 0x10);
	for (uint32_t t = 0; t <= nr_pollers; t++)
		fx_at(fx, t, EXPLORE_OP_MUTEX_LOCK, m);
	for (uint32_t i = 0; i < 200; i++) {
		uint32_t t = run_unfairly(fx, i % nr_pollers);

		if (t == worker)
			return;
		switch (fx->s->task[t].op.kind) {
		case EXPLORE_OP_MUTEX_LOCK:
			fx_acquire(fx, m, t);
			fx_at(fx, t, EXPLORE_OP_MUTEX_UNLOCK, m);
			break;
		case EXPLORE_OP_MUTEX_UNLOCK:
			fx_release(fx, m);
			fx_at(fx, t, EXPLORE_OP_YIELD, 0);
			break;
		default:
			fx_yield(fx, t);
			fx_at(fx, t, EXPLORE_OP_MUTEX_LOCK, m);
			break;
		}
	}
	fail_msg("the worker starved behind %u pollers", nr_pollers);
}

static void test_yielded__polling_under_a_lock_does_not_starve(void **state)
{
	struct fixture *fx = *state;

	for (uint32_t nr = 1; nr < 6; nr++) {
		fx_init(fx);
		poll_under_lock(fx, nr);
	}
}

/* What t did to u before u ran again is paid for. */
static void test_yielded__not_behind_one_it_disabled_long_ago(void **state)
{
	struct fixture *fx = *state;
	uint32_t sem;

	fx_tasks(fx, 3);
	sem = fx_object(fx, SCHED_CLASS_SEM, 0x10);
	scheduler_object(fx->s, sem)->count = 1;
	fx_at(fx, 1, EXPLORE_OP_SEM_WAIT, sem);
	fx_run(fx, 0);
	scheduler_object(fx->s, sem)->count = 0;	/* 0 takes it ... */
	fx_run(fx, 2);
	scheduler_object(fx->s, sem)->count = 1;
	fx_run(fx, 1);
	run_yielding(fx, 0);
	fx_run(fx, 2);
	scheduler_object(fx->s, sem)->count = 0;	/* ... and now 2 */
	fx_run(fx, 2);
	scheduler_object(fx->s, sem)->count = 1;
	fx_run(fx, 2);
	run_yielding(fx, 0);
	peek(fx);
	assert_true(fx_offered(fx, 1));
	assert_true(fx_offered(fx, 0));
}

/* Whatever yields how, somebody is offered, and everybody in the end. */
static void test_yielded__all_yielding_all_run(void **state)
{
	struct fixture *fx = *state;
	uint32_t last_run[7] = { 0 };
	uint32_t random = 1;

	fx_tasks(fx, 7);
	for (uint32_t i = 1; i < 2000; i++) {
		uint32_t t = run_unfairly(fx, (random >> 20) % 3);

		last_run[t] = i;
		random = random * 1664525u + 1013904223u;
		scheduler_yielded(fx->s, t, random >> 31);
		fx_check(fx);
		for (uint32_t u = 0; u < 7; u++)
			assert_true(i - last_run[u] < 60);
	}
}

/* The tasks left keep their order, and the marks do not show. */
static void test_fair_filter__leaves_clean_candidates(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 5);
	for (int i = 0; i < 2; i++) {
		run_yielding(fx, 3);
		run_yielding(fx, 1);
	}
	peek(fx);
	assert_int_equal(fx->point.nr, 3);
	assert_int_equal(fx->candidate[0].task, 0);
	assert_int_equal(fx->candidate[1].task, 2);
	assert_int_equal(fx->candidate[2].task, 4);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(fx->candidate[i].reserved, 0);
}

/* One picks, and runs, whom it likes: task 0, as long as that is offered. */
static uint32_t run_greedy(struct fixture *fx)
{
	fx->want = FX_ANY;
	assert_int_equal(fx_next(fx), SCHED_RUN);
	return fx->s->current;
}

static void test_starved__has_a_turn_of_several_steps(void **state)
{
	struct fixture *fx = *state;
	uint32_t nr = 0, longest = 0;

	fx->config.max_steps = FX_MAX_STEPS;
	fx_tasks(fx, 2);
	fx_at(fx, 0, EXPLORE_OP_MEMORY_WRITE, 0);
	fx_at(fx, 1, EXPLORE_OP_MEMORY_READ, 0);
	fx->s->nr_turns = 100;	/* then the wait for a turn is shortest */
	for (uint32_t i = 0; i < 2000; i++) {
		nr = run_greedy(fx) == 1 ? nr + 1 : 0;
		if (nr > longest)
			longest = nr;
	}
	assert_in_range(longest, SCHED_TURN_PICKS, SCHED_TURN_MAX + 1);
}

static void test_starved__an_exhaustive_search_waits(void **state)
{
	struct fixture *fx = *state;

	fx_tasks(fx, 2);
	fx->s->config.is_exhaustive = 1;
	fx->s->nr_turns = 100;
	fx_at(fx, 0, EXPLORE_OP_MEMORY_WRITE, 0);
	fx_at(fx, 1, EXPLORE_OP_MEMORY_READ, 0);
	for (uint32_t i = 0; i < 4000; i++)
		assert_int_equal(run_greedy(fx), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FX_TEST(test_yielded__the_first_time_changes_nothing),
		FX_TEST(test_yielded__the_second_time_stands_back),
		FX_TEST(test_yielded__stands_back_until_all_of_them_ran),
		FX_TEST(test_yielded__strong_stands_back_at_once),
		FX_TEST(test_yielded__twice_in_one_step_counts_once),
		FX_TEST(test_yielded__not_behind_one_that_ran_since),
		FX_TEST(test_yielded__not_behind_one_enabled_only_since),
		FX_TEST(test_yielded__not_behind_one_that_is_disabled),
		FX_TEST(test_yielded__timeouts_count),
		FX_TEST(test_yielded__pollers_do_not_starve_a_worker),
		FX_TEST(test_yielded__polling_under_a_lock_does_not_starve),
		FX_TEST(test_yielded__not_behind_one_it_disabled_long_ago),
		FX_TEST(test_yielded__all_yielding_all_run),
		FX_TEST(test_fair_filter__leaves_clean_candidates),
		FX_TEST(test_starved__has_a_turn_of_several_steps),
		FX_TEST(test_starved__an_exhaustive_search_waits),
	};

	return cmocka_run_group_tests_name("scheduler_fairness", tests, NULL,
					   NULL);
}
