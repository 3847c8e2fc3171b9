/* SPDX-License-Identifier: MIT */
/*
 * test_races_atomic.c - atomic instructions, and plain moves of atomic bytes.
 */
#include "races_fixture.h"

#define RC_DATA (RC_X + 256)
#define RC_NEXT (RC_X + 4)	/* in the same granule */

static enum rc_answer write_data(struct races *r, uint32_t t)
{
	return rc_access(r, t, RC_DATA, 4, RACES_WRITE, NULL);
}

static enum rc_answer read_data(struct races *r, uint32_t t)
{
	return rc_access(r, t, RC_DATA, 4, RACES_READ, NULL);
}

/* -------------------------------------------------------------- ordering */

static void test_atomic__releases_and_acquires(void **state)
{
	struct races *r = *state;

	write_data(r, 1);
	assert_int_equal(rc_atomic(r, 1), RC_NOTHING);
	assert_int_equal(rc_atomic(r, 2), RC_ORDER);
	assert_int_equal(write_data(r, 2), RC_NOTHING);
	assert_int_equal(write_data(r, 3), RC_RACE);
}

static void test_atomic__orders_the_past_only(void **state)
{
	struct races *r = *state;

	rc_atomic(r, 1);
	write_data(r, 1);
	rc_atomic(r, 2);
	assert_int_equal(read_data(r, 2), RC_RACE);
}

/* Others may come between. */
static void test_atomic__keeps_what_earlier_ones_released(void **state)
{
	struct races *r = *state;

	write_data(r, 1);
	rc_atomic(r, 1);
	rc_atomic(r, 3);
	rc_write(r, 3);
	rc_atomic(r, 2);
	assert_int_equal(read_data(r, 2), RC_NOTHING);
}

static void test_atomic__of_another_address_orders_nothing(void **state)
{
	struct races *r = *state;

	write_data(r, 1);
	rc_atomic(r, 1);
	assert_int_equal(rc_access(r, 2, RC_NEXT, 4, RACES_ATOMIC, NULL),
			 RC_NOTHING);
	assert_int_equal(read_data(r, 2), RC_RACE);
}

/* A release store and an acquire load are plain moves. */
static void test_atomic__makes_moves_release_and_acquire(void **state)
{
	struct races *r = *state;

	rc_atomic(r, 0);
	write_data(r, 1);
	assert_int_equal(rc_write(r, 1), RC_ORDER);
	assert_int_equal(rc_read(r, 2), RC_ORDER);
	assert_int_equal(read_data(r, 2), RC_NOTHING);
	assert_int_equal(read_data(r, 3), RC_RACE);
}

static void test_atomic__load_does_not_release(void **state)
{
	struct races *r = *state;

	rc_atomic(r, 1);
	write_data(r, 2);
	rc_read(r, 2);
	rc_atomic(r, 3);
	assert_int_equal(read_data(r, 3), RC_RACE);
}

static void test_atomic__store_does_not_acquire(void **state)
{
	struct races *r = *state;

	write_data(r, 1);
	rc_atomic(r, 1);
	rc_write(r, 2);
	assert_int_equal(read_data(r, 2), RC_RACE);
}

static void test_atomic__large_task_ids(void **state)
{
	struct races *r = *state;

	races_fork(r, 0, 900);
	races_fork(r, 0, 901);
	write_data(r, 900);
	rc_atomic(r, 900);
	rc_atomic(r, 901);
	assert_int_equal(write_data(r, 901), RC_NOTHING);
	races_forget(r, RC_X, 8);
	rc_atomic(r, 3);
	assert_int_equal(write_data(r, 3), RC_RACE);
}

/* ------------------------------------------------------- becoming atomic */

static void test_atomic__does_not_race_with_plain_accesses(void **state)
{
	struct races_found f;
	struct races *r = *state;

	rc_read(r, 3);
	rc_write(r, 1);
	assert_int_equal(rc_access(r, 2, RC_X, 4, RACES_ATOMIC, &f), RC_ORDER);
	assert_int_equal(f.other_task, 1);
	assert_int_equal(f.other_site, 101);
	assert_int_equal(rc_read(r, 3), RC_ORDER);
}

/* The move before was the release store of a flag. */
static void test_atomic__acquires_earlier_stores(void **state)
{
	struct races *r = *state;

	races_acquire(r, 1, RC_MUTEX);
	write_data(r, 3);
	races_release(r, 3, RC_MUTEX);
	races_acquire(r, 1, RC_MUTEX);
	rc_access(r, 1, RC_DATA + 8, 4, RACES_WRITE, NULL);
	rc_write(r, 1);
	rc_atomic(r, 2);
	assert_int_equal(rc_access(r, 2, RC_DATA + 8, 4, RACES_READ, NULL),
			 RC_NOTHING);
	assert_int_equal(read_data(r, 2), RC_NOTHING);
	/* What it does after is not ordered. */
	rc_access(r, 1, RC_DATA + 16, 4, RACES_WRITE, NULL);
	assert_int_equal(rc_access(r, 2, RC_DATA + 16, 4, RACES_READ, NULL),
			 RC_RACE);
}

static void test_atomic__neighbours_stay_plain(void **state)
{
	struct races_found f;
	struct races *r = *state;

	rc_access(r, 1, RC_X, 8, RACES_WRITE, NULL);
	rc_atomic(r, 1);
	assert_true(races_is_atomic(r, RC_X, 8));
	assert_true(races_is_atomic(r, RC_X - 8, 9));
	assert_false(races_is_atomic(r, RC_NEXT, 4));
	/* A race counts for more than an order. */
	assert_int_equal(rc_access(r, 2, RC_X, 8, RACES_WRITE, &f), RC_RACE);
	assert_int_equal(f.addr, RC_NEXT);
	assert_int_equal(f.size, 4);
}

static void test_atomic__is_forgotten(void **state)
{
	struct races *r = *state;

	rc_atomic(r, 1);
	races_forget(r, RC_X, 2);
	assert_true(races_is_atomic(r, RC_X, 4));
	assert_false(races_is_atomic(r, RC_X, 2));
	assert_int_equal(rc_access(r, 2, RC_X, 2, RACES_WRITE, NULL),
			 RC_NOTHING);
	assert_int_equal(rc_access(r, 3, RC_X, 2, RACES_WRITE, NULL), RC_RACE);
	races_forget(r, RC_X, 4);
	assert_false(races_is_atomic(r, RC_X, 4));
	assert_int_equal(rc_write(r, 1), RC_NOTHING);
	assert_int_equal(rc_write(r, 2), RC_RACE);
}

static void test_make_atomic__acts_as_an_instruction_before(void **state)
{
	struct races *r = *state;

	races_make_atomic(r, RC_X, 4);
	races_make_atomic(r, RC_X, 16);
	assert_true(races_is_atomic(r, RC_X + 15, 1));
	assert_false(races_is_atomic(r, RC_X + 16, 1));
	write_data(r, 1);
	assert_int_equal(rc_write(r, 1), RC_NOTHING);
	assert_int_equal(rc_read(r, 2), RC_ORDER);
	assert_int_equal(read_data(r, 2), RC_NOTHING);
}

/* 16 bytes, over two granules. */
static void test_atomic__wide(void **state)
{
	struct races_found f;
	struct races *r = *state;

	write_data(r, 1);
	rc_access(r, 1, RC_X, 16, RACES_ATOMIC, NULL);
	assert_int_equal(rc_access(r, 2, RC_X, 16, RACES_ATOMIC, &f),
			 RC_ORDER);
	assert_int_equal(f.addr, RC_X);
	assert_int_equal(f.size, 16);
	assert_int_equal(write_data(r, 2), RC_NOTHING);
}

/* What follows in the same access is after the release. */
static void test_atomic__store_ends_the_epoch(void **state)
{
	struct races *r = *state;

	races_make_atomic(r, RC_X, 8);
	rc_access(r, 1, RC_X + 8, 8, RACES_WRITE, NULL);
	rc_access(r, 1, RC_X, 16, RACES_WRITE, NULL);
	rc_read(r, 2);
	assert_int_equal(rc_access(r, 2, RC_X + 8, 8, RACES_READ, NULL),
			 RC_RACE);
}

/* ---------------------------------------------------- whose order matters */

static void test_atomic__reports_the_last_user(void **state)
{
	struct races_found f;
	struct races *r = *state;

	rc_atomic(r, 1);
	rc_read(r, 2);
	assert_int_equal(rc_access(r, 3, RC_X, 4, RACES_WRITE, &f), RC_ORDER);
	assert_int_equal(f.other_task, 2);
	assert_int_equal(f.other_is_write, 0);
	assert_int_equal(rc_access(r, 3, RC_X, 4, RACES_READ, &f), RC_ORDER);
	assert_int_equal(f.other_task, 1);
	assert_int_equal(f.other_is_write, 1);
}

static void test_atomic__reads_do_not_matter_to_reads(void **state)
{
	struct races *r = *state;

	races_make_atomic(r, RC_X, 4);
	assert_int_equal(rc_read(r, 1), RC_NOTHING);
	assert_int_equal(rc_read(r, 2), RC_NOTHING);
	assert_int_equal(rc_write(r, 3), RC_ORDER);
}

static void test_atomic__initialisation_does_not_matter(void **state)
{
	struct races *r = *state;

	rc_write(r, 0);
	rc_atomic(r, 0);
	races_fork(r, 0, 1);
	races_fork(r, 1, 2);
	races_fork(r, 0, 3);
	assert_int_equal(rc_read(r, 1), RC_NOTHING);
	assert_int_equal(rc_read(r, 2), RC_NOTHING);
	rc_atomic(r, 0);
	assert_int_equal(rc_read(r, 3), RC_ORDER);
	assert_int_equal(rc_read(r, 2), RC_ORDER);
}

/* Readers come and go; the writer is not forgotten over them. */
static void test_atomic__remembers_the_writer(void **state)
{
	struct races_found f;
	struct races *r = *state;

	for (uint32_t t = 1; t <= 12; t++)
		races_fork(r, 0, t);
	rc_atomic(r, 1);
	for (uint32_t t = 2; t <= 12; t++) {
		assert_int_equal(rc_access(r, t, RC_X, 4, RACES_READ, &f),
				 RC_ORDER);
		assert_int_equal(f.other_task, 1);
	}
}

static void test_atomic__goes_blind_when_out_of_lines(void **state)
{
	struct races *r = *state;

	r->max_lines = r->nr_lines_used + 5;
	write_data(r, 1);
	for (uint32_t i = 0; i < 4; i++)
		rc_access(r, 1, RC_X + 8 * i, 4, RACES_ATOMIC, NULL);
	assert_true(races_is_full(r));
	assert_int_equal(write_data(r, 2), RC_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RC_TEST(test_atomic__releases_and_acquires),
		RC_TEST(test_atomic__orders_the_past_only),
		RC_TEST(test_atomic__keeps_what_earlier_ones_released),
		RC_TEST(test_atomic__of_another_address_orders_nothing),
		RC_TEST(test_atomic__makes_moves_release_and_acquire),
		RC_TEST(test_atomic__load_does_not_release),
		RC_TEST(test_atomic__store_does_not_acquire),
		RC_TEST(test_atomic__large_task_ids),
		RC_TEST(test_atomic__does_not_race_with_plain_accesses),
		RC_TEST(test_atomic__acquires_earlier_stores),
		RC_TEST(test_atomic__neighbours_stay_plain),
		RC_TEST(test_atomic__is_forgotten),
		RC_TEST(test_make_atomic__acts_as_an_instruction_before),
		RC_TEST(test_atomic__wide),
		RC_TEST(test_atomic__store_ends_the_epoch),
		RC_TEST(test_atomic__reports_the_last_user),
		RC_TEST(test_atomic__reads_do_not_matter_to_reads),
		RC_TEST_MAIN(test_atomic__initialisation_does_not_matter),
		RC_TEST_MAIN(test_atomic__remembers_the_writer),
		RC_TEST(test_atomic__goes_blind_when_out_of_lines),
	};

	return cmocka_run_group_tests_name("races_atomic", tests, NULL, NULL);
}
