/* SPDX-License-Identifier: MIT */
/*
 * test_races_order.c - what orders two accesses, and what does not.
 */
#include "races_fixture.h"

/* ---------------------------------------------------------- no ordering */

static void test_access__of_one_task_never_races(void **state)
{
	assert_int_equal(rc_write(*state, 1), RC_NOTHING);
	assert_int_equal(rc_read(*state, 1), RC_NOTHING);
	assert_int_equal(rc_write(*state, 1), RC_NOTHING);
	races_release(*state, 1, RC_MUTEX);
	assert_int_equal(rc_write(*state, 1), RC_NOTHING);
}

static void test_access__write_races_with_write(void **state)
{
	assert_int_equal(rc_write(*state, 1), RC_NOTHING);
	assert_int_equal(rc_write(*state, 2), RC_RACE);
}

static void test_access__read_races_with_write(void **state)
{
	struct races_found f;

	assert_int_equal(rc_write(*state, 1), RC_NOTHING);
	assert_int_equal(rc_access(*state, 2, RC_X, 4, RACES_READ, &f),
			 RC_RACE);
	assert_int_equal(f.other_task, 1);
	assert_int_equal(f.other_site, 101);
	assert_int_equal(f.other_is_write, 1);
	assert_int_equal(f.is_write, 0);
}

static void test_access__write_races_with_read(void **state)
{
	struct races_found f;

	assert_int_equal(rc_read(*state, 1), RC_NOTHING);
	assert_int_equal(rc_access(*state, 2, RC_X, 4, RACES_WRITE, &f),
			 RC_RACE);
	assert_int_equal(f.other_is_write, 0);
}

static void test_access__reads_do_not_race(void **state)
{
	assert_int_equal(rc_read(*state, 1), RC_NOTHING);
	assert_int_equal(rc_read(*state, 2), RC_NOTHING);
	assert_int_equal(rc_read(*state, 3), RC_NOTHING);
}

static void test_access__races_again_when_repeated(void **state)
{
	rc_write(*state, 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rc_write(*state, 2), RC_RACE);
		assert_int_equal(rc_read(*state, 2), RC_RACE);
	}
}

static void test_access__reports_the_most_recent(void **state)
{
	struct races_found f;

	rc_write(*state, 1);
	rc_write(*state, 2);
	rc_access(*state, 3, RC_X, 4, RACES_WRITE, &f);
	assert_int_equal(f.other_task, 2);
	rc_write(*state, 1);
	rc_access(*state, 3, RC_X, 4, RACES_READ, &f);
	assert_int_equal(f.other_task, 1);
}

static void test_access__reports_the_last_of_equal_sites(void **state)
{
	struct races_found f;

	assert_false(races_access(*state, 1, RC_X, 4, RACES_WRITE, 7, &f));
	assert_false(races_access(*state, 1, RC_X, 4, RACES_WRITE, 8, &f));
	assert_true(races_access(*state, 2, RC_X, 4, RACES_WRITE, 9, &f));
	assert_int_equal(f.other_site, 8);
}

/* ---------------------------------------------------------------- settled */

static void test_settled__until_another_task_is_unordered(void **state)
{
	struct races *r = *state;

	assert_true(races_is_settled(r, 1, RC_X, 8));
	rc_write(r, 1);
	assert_true(races_is_settled(r, 1, RC_X, 4));
	assert_false(races_is_settled(r, 2, RC_X, 4));
	races_release(r, 1, RC_MUTEX);
	races_acquire(r, 2, RC_MUTEX);
	assert_true(races_is_settled(r, 2, RC_X, 4));
	rc_read(r, 2);
	assert_false(races_is_settled(r, 1, RC_X, 4));
}

/* ------------------------------------------------------------ fork, join */

static void test_fork__orders_the_past_only(void **state)
{
	struct races *r = *state;

	rc_write(r, 0);
	races_fork(r, 0, 1);
	assert_int_equal(rc_write(r, 1), RC_NOTHING);
	assert_int_equal(rc_read(r, 0), RC_RACE);
}

static void test_fork__what_the_parent_does_next_is_unordered(void **state)
{
	struct races *r = *state;

	races_fork(r, 0, 1);
	rc_write(r, 0);
	assert_int_equal(rc_read(r, 1), RC_RACE);
}

static void test_fork__is_transitive(void **state)
{
	struct races *r = *state;

	rc_write(r, 0);
	races_fork(r, 0, 1);
	races_fork(r, 1, 2);
	assert_int_equal(rc_write(r, 2), RC_NOTHING);
	assert_int_equal(rc_read(r, 1), RC_RACE);
}

static void test_join__orders_all_of_the_ended(void **state)
{
	struct races *r = *state;

	rc_write(r, 1);
	races_join(r, 0, 1);
	assert_int_equal(rc_write(r, 0), RC_NOTHING);
	assert_int_equal(rc_write(r, 2), RC_RACE);
}

static void test_join__ends_there(void **state)
{
	struct races *r = *state;

	races_join(r, 0, 1);
	rc_write(r, 1);
	assert_int_equal(rc_read(r, 0), RC_RACE);
}

/* --------------------------------------------------------------- objects */

static void test_release__orders_for_whom_acquires(void **state)
{
	struct races *r = *state;

	races_acquire(r, 1, RC_MUTEX);
	rc_write(r, 1);
	races_release(r, 1, RC_MUTEX);
	races_acquire(r, 2, RC_MUTEX);
	assert_int_equal(rc_write(r, 2), RC_NOTHING);
	races_release(r, 2, RC_MUTEX);
	races_acquire(r, 3, RC_MUTEX);
	/* Both of them, the first by way of the second. */
	assert_int_equal(rc_write(r, 3), RC_NOTHING);
}

static void test_release__orders_the_past_only(void **state)
{
	struct races *r = *state;

	races_release(r, 1, RC_MUTEX);
	rc_write(r, 1);
	races_acquire(r, 2, RC_MUTEX);
	assert_int_equal(rc_read(r, 2), RC_RACE);
}

static void test_release__of_another_object_orders_nothing(void **state)
{
	struct races *r = *state;

	rc_write(r, 1);
	races_release(r, 1, RC_MUTEX);
	races_acquire(r, 2, RC_OTHER);
	assert_int_equal(rc_read(r, 2), RC_RACE);
}

static void test_acquire__alone_orders_nothing(void **state)
{
	struct races *r = *state;

	rc_write(r, 1);
	races_acquire(r, 1, RC_MUTEX);
	races_acquire(r, 2, RC_MUTEX);
	assert_int_equal(rc_read(r, 2), RC_RACE);
}

static void test_release__replaces_and_merge_adds(void **state)
{
	struct races *r = *state;

	rc_write(r, 1);
	races_release(r, 1, RC_MUTEX);
	races_release(r, 1, RC_OTHER);
	/* Task 2 knows nothing of task 1. */
	races_release(r, 2, RC_MUTEX);
	races_release_merge(r, 2, RC_OTHER);
	races_acquire(r, 3, RC_MUTEX);
	assert_int_equal(rc_read(r, 3), RC_RACE);
	races_acquire(r, 3, RC_OTHER);
	assert_int_equal(rc_read(r, 3), RC_NOTHING);
}

/* A write after two ordered reads must see the one that is not ordered. */
static void test_access__finds_the_reader_that_is_not_ordered(void **state)
{
	struct races_found f;
	struct races *r = *state;

	rc_read(r, 1);
	rc_read(r, 2);
	races_release_merge(r, 2, RC_MUTEX);
	races_acquire(r, 3, RC_MUTEX);
	assert_int_equal(rc_access(r, 3, RC_X, 4, RACES_WRITE, &f), RC_RACE);
	assert_int_equal(f.other_task, 1);
}

/* A later read of the writer does not make one forget its write. */
static void test_access__remembers_the_write_under_later_reads(void **state)
{
	struct races *r = *state;

	rc_write(r, 1);
	races_release(r, 1, RC_MUTEX);
	rc_read(r, 1);
	races_acquire(r, 2, RC_MUTEX);
	assert_int_equal(rc_read(r, 2), RC_NOTHING);
	assert_int_equal(rc_read(r, 3), RC_RACE);
	assert_int_equal(rc_write(r, 2), RC_RACE);
}

/* ------------------------------------------------------------ many tasks */

/* Ids whose clocks lie in every part of the tree. */
static const uint32_t ids[] = { 1, 14, 15, 16, 31, 255, 256, 257, 4095 };
#define NR_IDS (sizeof(ids) / sizeof(ids[0]))

static void test_clock__keeps_any_task_id(void **state)
{
	struct races *r = *state;

	for (uint32_t i = 0; i < NR_IDS; i++)
		races_fork(r, 0, ids[i]);
	for (uint32_t i = 0; i < NR_IDS; i++) {
		races_acquire(r, ids[i], RC_MUTEX);
		assert_int_equal(rc_write(r, ids[i]), RC_NOTHING);
		races_release(r, ids[i], RC_MUTEX);
	}
	for (uint32_t i = 0; i + 1 < NR_IDS; i++)
		assert_int_equal(rc_write(r, ids[i]), RC_RACE);
}

static void test_clock__replaces_all_of_a_large_one(void **state)
{
	struct races *r = *state;

	for (uint32_t i = 0; i < NR_IDS; i++)
		races_fork(r, 0, ids[i]);
	for (uint32_t i = 1; i < NR_IDS; i++) {
		rc_access(r, ids[i], RC_X + 64 * i, 4, RACES_WRITE, NULL);
		races_release_merge(r, ids[i], RC_MUTEX);
		races_release_merge(r, ids[i], RC_OTHER);
	}
	races_release(r, 1, RC_MUTEX);
	races_fork(r, 0, 2);
	races_acquire(r, 2, RC_MUTEX);
	for (uint32_t i = 1; i < NR_IDS; i++)
		assert_int_equal(rc_access(r, 2, RC_X + 64 * i, 4, RACES_READ,
					   NULL), RC_RACE);
	races_acquire(r, 2, RC_OTHER);
	for (uint32_t i = 1; i < NR_IDS; i++)
		assert_int_equal(rc_access(r, 2, RC_X + 64 * i, 4, RACES_READ,
					   NULL), RC_NOTHING);
}

static void test_access__of_a_task_nobody_forked(void **state)
{
	struct races *r = *state;

	rc_write(r, 0);
	assert_int_equal(rc_write(r, 20), RC_RACE);
	races_join(r, 0, 20);
	assert_int_equal(rc_write(r, 0), RC_NOTHING);
}

/* Without room for clocks there is no telling, and nothing is invented. */
static void test_release__goes_blind_when_out_of_lines(void **state)
{
	struct races *r = *state;

	r->max_lines = r->nr_lines_used + 3;
	rc_write(r, 1);
	assert_false(races_is_full(r));
	for (uint32_t object = 1; object < 10; object++)
		races_release(r, 1, object);
	assert_true(races_is_full(r));
	races_acquire(r, 2, 9);
	assert_int_equal(rc_write(r, 2), RC_NOTHING);
	assert_int_equal(rc_write(r, 3), RC_NOTHING);
}

/* ------------------------------------------------------ the firm order */

/* Whether the task's write is told to be shared, and nothing else. */
static bool is_shared(struct races *r, uint32_t t)
{
	struct races_found f = { .is_shared = 0 };

	if (!races_access_news(r, t, RC_X, 4, RACES_WRITE, 100 + t, &f))
		return false;
	assert_false(f.is_synchronising);
	return f.is_shared;
}

static void hand_over_by_atomic(struct races *r, uint32_t from, uint32_t to)
{
	rc_access(r, from, RC_X + 64, 4, RACES_ATOMIC, NULL);
	rc_access(r, to, RC_X + 64, 4, RACES_ATOMIC, NULL);
}

static void test_firm__order_by_atomics_is_not(void **state)
{
	assert_false(is_shared(*state, 1));
	hand_over_by_atomic(*state, 1, 2);
	assert_true(is_shared(*state, 2));
}

static void test_firm__order_by_locks_is(void **state)
{
	struct races *r = *state;

	hand_over_by_atomic(r, 3, 1);
	assert_false(is_shared(r, 1));
	races_release(r, 1, 5);
	races_acquire(r, 2, 5);
	assert_false(is_shared(r, 2));
	races_join(r, 3, 2);
	assert_false(is_shared(r, 3));
}

/* What came by an atomic is not made firm by a lock on the way. */
static void test_firm__passes_through_locks(void **state)
{
	struct races *r = *state;

	assert_false(is_shared(r, 1));
	hand_over_by_atomic(r, 1, 2);
	races_release(r, 2, 5);
	races_acquire(r, 3, 5);
	assert_true(is_shared(r, 3));
}

static void test_firm__once_shared_always_shared(void **state)
{
	struct races *r = *state;

	assert_false(is_shared(r, 1));
	hand_over_by_atomic(r, 1, 2);
	assert_true(is_shared(r, 2));
	races_release(r, 2, 5);
	races_acquire(r, 3, 5);
	assert_true(is_shared(r, 3));
	assert_int_equal(rc_read(r, 3), RC_NOTHING);
	races_forget(r, RC_X, 4);
	assert_false(is_shared(r, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RC_TEST(test_access__of_one_task_never_races),
		RC_TEST(test_access__write_races_with_write),
		RC_TEST(test_access__read_races_with_write),
		RC_TEST(test_access__write_races_with_read),
		RC_TEST(test_access__reads_do_not_race),
		RC_TEST(test_access__races_again_when_repeated),
		RC_TEST(test_access__reports_the_most_recent),
		RC_TEST(test_access__reports_the_last_of_equal_sites),
		RC_TEST(test_settled__until_another_task_is_unordered),
		RC_TEST_MAIN(test_fork__orders_the_past_only),
		RC_TEST_MAIN(test_fork__what_the_parent_does_next_is_unordered),
		RC_TEST_MAIN(test_fork__is_transitive),
		RC_TEST(test_join__orders_all_of_the_ended),
		RC_TEST(test_join__ends_there),
		RC_TEST(test_release__orders_for_whom_acquires),
		RC_TEST(test_release__orders_the_past_only),
		RC_TEST(test_release__of_another_object_orders_nothing),
		RC_TEST(test_acquire__alone_orders_nothing),
		RC_TEST(test_release__replaces_and_merge_adds),
		RC_TEST(test_access__finds_the_reader_that_is_not_ordered),
		RC_TEST(test_access__remembers_the_write_under_later_reads),
		RC_TEST_MAIN(test_clock__keeps_any_task_id),
		RC_TEST_MAIN(test_clock__replaces_all_of_a_large_one),
		RC_TEST_MAIN(test_access__of_a_task_nobody_forked),
		RC_TEST(test_release__goes_blind_when_out_of_lines),
		RC_TEST(test_firm__order_by_atomics_is_not),
		RC_TEST(test_firm__order_by_locks_is),
		RC_TEST(test_firm__passes_through_locks),
		RC_TEST(test_firm__once_shared_always_shared),
	};

	return cmocka_run_group_tests_name("races_order", tests, NULL, NULL);
}
