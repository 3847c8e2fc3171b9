/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_slices.c - the slices that decisions come with.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/enumerator.h"

#define NR 3
#define PICKS 4000

static const struct explore_op ops[NR] = {
	{ .task = 0 }, { .task = 2 }, { .task = 3 },
};

static const struct model two_tasks = {
	.nr_tasks = 2,
	.op = { { { MODEL_WRITE, 0 }, { MODEL_WRITE, 0 }, { MODEL_WRITE, 0 } },
		{ { MODEL_WRITE, 1 }, { MODEL_WRITE, 1 } } },
};

static uint64_t slice(struct driver *d, uint64_t step,
		      enum explore_point_kind kind)
{
	const struct explore_point point = {
		.step = step,
		.kind = kind,
		.nr = NR,
		.candidate = kind == EXPLORE_POINT_VALUE ? NULL : ops,
		.previous = 1,
		.previous_task = 2,
	};

	return d->strategy->pick(d->target, &point).ticks;
}

static void test_pick__draws_slices_of_every_size(void **state)
{
	uint32_t nr_shortest = 0, nr_long = 0;
	struct driver d;

	(void)state;
	driver_start(&d, "slices:every=5,span=10", 1);
	assert_int_equal(d.strategy->begin(d.tool, 0), 1);
	for (uint64_t i = 0; i < PICKS; i++) {
		uint64_t ticks = slice(&d, i, EXPLORE_POINT_TASK);

		assert_int_equal(ticks % 5, 0);
		assert_in_range(ticks, 5, 5 << 10);
		nr_shortest += ticks == 5;
		nr_long += ticks > 5 << 9;
	}
	/* One in 11 has magnitude 0, and one in 22 is above half of all. */
	assert_in_range(nr_shortest, PICKS / 11, PICKS / 4);
	assert_in_range(nr_long, PICKS / 44, PICKS / 11);
	driver_stop(&d);
}

static void test_pick__gives_slices_at_task_points_only(void **state)
{
	static const char *const specs[] = { "slices", "slices:bound=1" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct driver d;

		driver_start(&d, specs[i], 7);
		assert_int_equal(d.strategy->begin(d.tool, 0), 1);
		assert_int_equal(slice(&d, 0, EXPLORE_POINT_WAKE), 0);
		assert_int_equal(slice(&d, 1, EXPLORE_POINT_VALUE), 0);
		assert_true(slice(&d, 2, EXPLORE_POINT_TASK) > 0);
		driver_stop(&d);
	}
}

static void test_pick__cuts_all_slices_alike_when_exhaustive(void **state)
{
	struct driver d;

	(void)state;
	driver_start(&d, "slices:bound=2,every=9", 7);
	assert_int_equal(d.strategy->begin(d.tool, 0), 1);
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(slice(&d, i, EXPLORE_POINT_TASK), 9);
	driver_stop(&d);
}

static void test_search__is_that_of_pb(void **state)
{
	struct schedules slices = { 0 }, pb = { 0 };
	struct driver d;

	(void)state;
	driver_start(&d, "slices:bound=4", 1);
	assert_true(driver_run_all(&d, &two_tasks, 1000, &slices));
	driver_stop(&d);
	driver_start(&d, "pb:bound=4", 1);
	assert_true(driver_run_all(&d, &two_tasks, 1000, &pb));
	driver_stop(&d);
	schedules_sort(&slices);
	schedules_sort(&pb);
	assert_int_equal(slices.nr, 10);	/* 5 choose 2 */
	assert_true(schedules_are_equal(&slices, &pb));
	schedules_release(&slices);
	schedules_release(&pb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pick__draws_slices_of_every_size),
		cmocka_unit_test(test_pick__gives_slices_at_task_points_only),
		cmocka_unit_test(
			test_pick__cuts_all_slices_alike_when_exhaustive),
		cmocka_unit_test(test_search__is_that_of_pb),
	};

	return cmocka_run_group_tests_name("strategy_slices", tests, NULL,
					   NULL);
}
