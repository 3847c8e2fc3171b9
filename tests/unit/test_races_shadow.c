/* SPDX-License-Identifier: MIT */
/*
 * test_races_shadow.c - bytes, sizes, places; forgetting; running out.
 */
#include "races_fixture.h"

/* Where a unit ends. */
#define RC_EDGE 0x700000ull

static enum rc_answer write_at(struct races *r, uint32_t t, uint64_t addr,
			       uint32_t size)
{
	return rc_access(r, t, addr, size, RACES_WRITE, NULL);
}

/* ----------------------------------------------------------------- bytes */

static void test_access__tells_bytes_apart(void **state)
{
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(write_at(*state, 1 + i % 2, RC_X + i, 1),
				 RC_NOTHING);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(write_at(*state, 2 - i % 2, RC_X + i, 1),
				 RC_RACE);
}

/* All sizes and alignments against a single byte, in and beside them. */
static void test_access__covers_exactly_its_bytes(void **state)
{
	uint64_t base = RC_EDGE - 128;

	for (uint32_t size = 1; size <= 70; size++)
		for (uint32_t offset = 0; offset < 12; offset++) {
			struct races *r = *state;
			uint64_t addr = base + offset;

			write_at(r, 1, addr, size);
			assert_int_equal(write_at(r, 2, addr - 1, 1),
					 RC_NOTHING);
			assert_int_equal(write_at(r, 2, addr + size, 1),
					 RC_NOTHING);
			assert_int_equal(write_at(r, 2, addr, 1), RC_RACE);
			assert_int_equal(write_at(r, 3, addr + size - 1, 1),
					 RC_RACE);
			races_forget(r, base - 8, 256);
		}
}

static void test_access__reports_the_bytes_in_conflict(void **state)
{
	struct races_found f;

	write_at(*state, 1, RC_X + 3, 2);
	rc_access(*state, 2, RC_X, 8, RACES_READ, &f);
	assert_int_equal(f.addr, RC_X + 3);
	assert_int_equal(f.size, 2);
}

static void test_access__reports_conflicts_over_granules(void **state)
{
	struct races_found f;

	write_at(*state, 1, RC_EDGE - 20, 40);
	write_at(*state, 2, RC_EDGE + 4, 4);
	rc_access(*state, 3, RC_EDGE - 32, 64, RACES_READ, &f);
	assert_int_equal(f.addr, RC_EDGE - 20);
	assert_int_equal(f.other_task, 1);
	/* Up to the granule where somebody else was later. */
	assert_int_equal(f.size, 20);
}

static void test_access__of_many_bytes(void **state)
{
	struct races_found f;
	uint64_t base = 0x123456789ull;
	uint32_t size = 300000;

	assert_int_equal(write_at(*state, 1, base, size), RC_NOTHING);
	assert_int_equal(rc_access(*state, 2, base + size - 1, 1, RACES_READ,
				   &f), RC_RACE);
	assert_int_equal(write_at(*state, 2, base + size, 8), RC_NOTHING);
	assert_int_equal(rc_access(*state, 3, base - 50, size + 50,
				   RACES_READ, &f), RC_RACE);
	assert_int_equal(f.addr, base);
	assert_int_equal(f.size, size);
}

static void test_access__of_nothing(void **state)
{
	assert_int_equal(write_at(*state, 1, RC_X, 0), RC_NOTHING);
	assert_int_equal(write_at(*state, 2, RC_X, 8), RC_NOTHING);
	assert_int_equal(write_at(*state, 3, RC_X, 0), RC_NOTHING);
}

static void test_access__of_addresses_nobody_has(void **state)
{
	uint64_t top = RACES_MAX_ADDR;

	for (uint32_t t = 1; t <= 2; t++) {
		assert_int_equal(write_at(*state, t, top, 8), RC_NOTHING);
		assert_int_equal(write_at(*state, t, UINT64_MAX - 3, 8),
				 RC_NOTHING);
	}
	assert_int_equal(write_at(*state, 1, top - 4, 8), RC_NOTHING);
	assert_int_equal(write_at(*state, 2, top - 4, 8), RC_RACE);
	races_forget(*state, top - 4, UINT64_MAX);
	assert_int_equal(write_at(*state, 2, top - 4, 8), RC_NOTHING);
}

/* The table of units grows several times, and finds all of them again. */
static void test_access__in_many_units(void **state)
{
	struct races *r = *state;
	uint32_t nr = 3000;

	for (uint32_t i = 0; i < nr; i++)
		write_at(r, 1, 0x10000ull * i * i + i, 1);
	assert_true(r->nr_buckets > RACES_MIN_BUCKETS);
	assert_true(r->nr_units <= r->nr_buckets / 2);
	for (uint32_t i = 0; i < nr; i++)
		assert_int_equal(write_at(r, 2, 0x10000ull * i * i + i, 1),
				 RC_RACE);
	assert_false(races_is_full(r));
}

/* ------------------------------------------------------------ many cells */

static void test_access__keeps_nine_readers(void **state)
{
	struct races *r = *state;

	for (uint32_t t = 1; t <= 9; t++) {
		races_fork(r, 0, t);
		rc_read(r, t);
	}
	assert_int_equal(r->nr_evicted, 0);
	for (uint32_t t = 1; t < 9; t++)
		races_join(r, 0, t);
	assert_int_equal(rc_write(r, 0), RC_RACE);
}

/* Readers that are ordered before go first, then the oldest; never writes. */
static void test_access__gives_up_the_least_useful(void **state)
{
	struct races_found f;
	struct races *r = *state;

	for (uint32_t t = 1; t <= 11; t++)
		races_fork(r, 0, t);
	rc_write(r, 1);
	for (uint32_t t = 2; t <= 9; t++)
		rc_read(r, t);
	races_release(r, 5, RC_MUTEX);
	races_acquire(r, 10, RC_MUTEX);
	rc_access(r, 10, RC_X, 2, RACES_READ, NULL);
	assert_int_equal(r->nr_evicted, 1);
	rc_access(r, 11, RC_X, 2, RACES_READ, NULL);
	assert_int_equal(r->nr_evicted, 2);

	/* Of the upper bytes all are left but the readers 5 and 2. */
	for (uint32_t t = 3; t <= 9; t++)
		if (t != 5)
			races_join(r, 0, t);
	assert_int_equal(rc_access(r, 0, RC_X + 3, 1, RACES_WRITE, &f),
			 RC_RACE);
	assert_int_equal(f.other_task, 1);
	races_join(r, 0, 1);
	assert_int_equal(rc_access(r, 0, RC_X + 3, 1, RACES_WRITE, &f),
			 RC_NOTHING);
}

/* Bytes of one task and epoch end up in one cell when there is no room. */
static void test_access__merges_before_it_gives_up(void **state)
{
	struct races_found f;
	struct races *r = *state;

	rc_access(r, 2, RC_X + 7, 1, RACES_READ, NULL);
	rc_access(r, 3, RC_X + 7, 1, RACES_READ, NULL);
	for (uint32_t i = 0; i < 8; i++)
		races_access(r, 1, RC_X + i, 1, RACES_READ, i, &f);
	assert_int_equal(r->nr_evicted, 1);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(rc_access(r, 0, RC_X + i, 1, RACES_WRITE, &f),
				 RC_RACE);
	races_join(r, 2, 1);
	assert_int_equal(rc_access(r, 2, RC_X + 7, 1, RACES_WRITE, &f),
			 RC_RACE);
}

/* ... and keeps looking at what lies between the cells it merged. */
static void test_access__races_again_after_merging(void **state)
{
	struct races_found f;
	struct races *r = *state;

	for (uint32_t t = 1; t <= 3; t++)
		rc_access(r, t, RC_X, 1,
			  t == 2 ? RACES_WRITE : RACES_READ, NULL);
	for (uint32_t i = 1; i < 8; i++)
		races_access(r, 1, RC_X + i, 1, RACES_READ, i, &f);
	assert_int_equal(r->nr_evicted, 1);
	assert_int_equal(rc_access(r, 1, RC_X, 1, RACES_READ, &f), RC_RACE);
	assert_int_equal(f.other_task, 2);
}

/* ------------------------------------------------------------ forgetting */

static void test_forget__ends_history_of_exactly_its_bytes(void **state)
{
	struct races *r = *state;

	for (uint32_t from = 0; from < 24; from++)
		for (uint32_t size = 1; from + size <= 24; size++) {
			for (uint32_t i = 0; i < 24; i++)
				write_at(r, 1 + i % 2, RC_EDGE - 10 + i, 1);
			races_forget(r, RC_EDGE - 10 + from, size);
			for (uint32_t i = 0; i < 24; i++)
				assert_int_equal(
					write_at(r, 3, RC_EDGE - 10 + i, 1),
					i < from || i >= from + size ?
						RC_RACE : RC_NOTHING);
			races_forget(r, RC_EDGE - 16, 48);
		}
}

static void test_forget__of_nothing_or_unknown_memory(void **state)
{
	struct races *r = *state;

	rc_write(r, 1);
	races_forget(r, RC_X, 0);
	races_forget(r, RC_X + 4, 1ull << 46);
	races_forget(r, 0, RC_X);
	assert_int_equal(r->nr_units, 1);
	assert_int_equal(rc_write(r, 2), RC_RACE);
	races_forget(r, 0, UINT64_MAX);
	assert_int_equal(rc_write(r, 2), RC_NOTHING);
}

static void test_forget__of_a_large_mapping(void **state)
{
	struct races *r = *state;
	uint64_t base = 0x7f0000000100ull;

	for (uint64_t i = 0; i < 100; i++)
		write_at(r, 1, base + (i << 24), 8);
	races_forget(r, base + (10ull << 24), (80ull << 24) + 4);
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(write_at(r, 2, base + (i << 24), 4),
				 i < 10 || i > 90 ? RC_RACE : RC_NOTHING);
		assert_int_equal(write_at(r, 2, base + (i << 24) + 4, 4),
				 i < 10 || i >= 90 ? RC_RACE : RC_NOTHING);
	}
}

static void test_forget__gives_lines_back(void **state)
{
	struct races *r = *state;
	uint32_t before, peak;

	/* What tasks know by atomics, and how firmly, they keep. */
	for (uint32_t t = 1; t <= 3; t++)
		rc_access(r, t, RC_X + 16, 4, RACES_ATOMIC, NULL);
	for (uint32_t t = 1; t <= 2; t++)
		rc_access(r, t, RC_X + 16, 4, RACES_ATOMIC, NULL);
	races_forget(r, RC_X, 64);
	before = r->nr_lines_used;
	for (int i = 0; i < 50; i++) {
		for (uint32_t t = 1; t <= 3; t++) {
			for (uint32_t k = 0; k < 8; k++)
				rc_access(r, t, RC_X + k, 1, RACES_READ, NULL);
			rc_access(r, t, RC_X + 16, 4, RACES_ATOMIC, NULL);
			rc_access(r, t, RC_X + 20, 4, RACES_ATOMIC, NULL);
		}
		assert_true(r->nr_lines_used > before);
		if (!i)
			peak = r->nr_lines;
		assert_int_equal(r->nr_lines, peak);
		races_forget(r, RC_X, 12);
		races_forget(r, RC_X + 12, 52);
		assert_int_equal(r->nr_lines_used, before);
	}
}

/* --------------------------------------------------------------- limits */

static void test_access__without_room_for_units(void **state)
{
	struct races *r = *state;

	r->max_units = 4;
	for (uint64_t i = 0; i < 6; i++)
		assert_int_equal(write_at(r, 1, RC_EDGE + i * 4096, 4),
				 RC_NOTHING);
	assert_true(races_is_full(r));
	assert_int_equal(races_nr_lost(r), 3);
	for (uint64_t i = 0; i < 6; i++)
		assert_int_equal(write_at(r, 2, RC_EDGE + i * 4096, 4),
				 i < 3 ? RC_RACE : RC_NOTHING);
	/* An order that cannot be noted makes all answers doubtful. */
	rc_access(r, 1, RC_EDGE + 5 * 4096, 4, RACES_ATOMIC, NULL);
	assert_int_equal(write_at(r, 3, RC_EDGE, 4), RC_NOTHING);
}

static void test_access__without_room_for_cells(void **state)
{
	struct races *r = *state;

	/* Clocks still have the reserve. */
	r->max_lines = 64;
	for (uint32_t object = 0; r->nr_lines_used < 55; object++)
		races_release(r, 1, object);
	rc_read(r, 1);
	assert_int_equal(rc_read(r, 2), RC_NOTHING);
	assert_true(races_is_full(r));
	assert_int_equal(rc_write(r, 3), RC_RACE);
	rc_access(r, 1, RC_X + 64, 4, RACES_ATOMIC, NULL);
	assert_int_equal(rc_write(r, 1), RC_RACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RC_TEST(test_access__tells_bytes_apart),
		RC_TEST(test_access__covers_exactly_its_bytes),
		RC_TEST(test_access__reports_the_bytes_in_conflict),
		RC_TEST(test_access__reports_conflicts_over_granules),
		RC_TEST(test_access__of_many_bytes),
		RC_TEST(test_access__of_nothing),
		RC_TEST(test_access__of_addresses_nobody_has),
		RC_TEST(test_access__in_many_units),
		RC_TEST_MAIN(test_access__keeps_nine_readers),
		RC_TEST_MAIN(test_access__gives_up_the_least_useful),
		RC_TEST(test_access__merges_before_it_gives_up),
		RC_TEST(test_access__races_again_after_merging),
		RC_TEST(test_forget__ends_history_of_exactly_its_bytes),
		RC_TEST(test_forget__of_nothing_or_unknown_memory),
		RC_TEST(test_forget__of_a_large_mapping),
		RC_TEST(test_forget__gives_lines_back),
		RC_TEST(test_access__without_room_for_units),
		RC_TEST(test_access__without_room_for_cells),
	};

	return cmocka_run_group_tests_name("races_shadow", tests, NULL, NULL);
}
