/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_dfs.c - its order, its report, and targets that are not
 * deterministic. What it visits is in test_strategy_exhaustive.c.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/enumerator.h"

#define W(o) { MODEL_WRITE, o }

static const struct model two = {
	.nr_tasks = 2,
	.op = { { W(0), W(0) }, { W(1) } },
};

/* The same number of answers everywhere, but of other operations. */
static const struct model other = {
	.nr_tasks = 2,
	.op = { { W(0), W(2) }, { W(2) } },
};

static const struct model shorter = {
	.nr_tasks = 2,
	.op = { { W(0) }, { W(1) } },
};

static void test_pick__goes_from_the_default_to_the_last(void **state)
{
	static const uint8_t expected[3][3] = { { 0, 0, 1 }, { 0, 1, 0 },
						{ 1, 0, 0 } };
	struct schedule s;
	struct driver d;

	(void)state;
	driver_start(&d, "dfs", 1);
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(driver_run(&d, &two, &s));
		assert_memory_equal(s.chosen, expected[i], 3);
		assert_string_equal(driver_describe(&d),
				    i == 0 ? "depth first, part of the "
					     "schedules: 1 run" :
				    i == 1 ? "depth first, part of the "
					     "schedules: 2 runs" :
					     "every schedule: 3 runs");
	}
	assert_false(driver_run(&d, &two, &s));
	assert_string_equal(driver_describe(&d), "every schedule: 3 runs");
	driver_stop(&d);
}

/* The target changes for its second run, then stays as it is. */
static void assert_strays(const struct model *first, const struct model *then)
{
	struct schedules list = { 0 };
	struct schedule s;
	struct driver d;

	driver_start(&d, "dfs", 1);
	assert_true(driver_run(&d, first, &s));
	assert_true(driver_run_all(&d, then, 100, &list));
	assert_non_null(strstr(driver_describe(&d),
			       "part of the schedules: "));
	assert_non_null(strstr(driver_describe(&d),
			       "; the target is not deterministic, "
			       "1 repeated point had changed"));
	schedules_release(&list);
	driver_stop(&d);
}

static void test_describe__tells_of_changed_points(void **state)
{
	(void)state;
	assert_strays(&two, &other);
	assert_strays(&two, &shorter);
}

/* A run that ends where it is expected to go on. */
static void test_describe__tells_of_runs_that_end_early(void **state)
{
	static const struct model empty = { .nr_tasks = 2 };

	(void)state;
	assert_strays(&two, &empty);
}

static void test_pick__survives_more_points_than_promised(void **state)
{
	struct explore_op op[2] = { { .task = 0 }, { .task = 1 } };
	struct driver d;

	(void)state;
	driver_start(&d, "dfs", 1);
	d.strategy->begin(d.tool, 0);
	for (uint64_t step = 0; step < MODEL_MAX_STEPS + 10; step++)
		assert_int_equal(driver_pick_task(&d, step, 1, op, 2), 1);
	d.strategy->end(d.tool, &(struct explore_outcome){ 0 });
	assert_non_null(strstr(driver_describe(&d),
			       "; runs were longer than the step limit"));
	driver_stop(&d);
}

/* The text is cut off, never overrun. */
static void test_describe__keeps_within_its_buffer(void **state)
{
	struct driver d;
	char text[8] = "#######";

	(void)state;
	driver_start(&d, "dfs", 1);
	d.strategy->describe(d.tool, text, 4);
	assert_memory_equal(text, "dep\0###", 8);
	d.strategy->describe(d.tool, text, 0);
	assert_memory_equal(text, "dep\0###", 8);
	driver_stop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pick__goes_from_the_default_to_the_last),
		cmocka_unit_test(test_describe__tells_of_changed_points),
		cmocka_unit_test(test_describe__tells_of_runs_that_end_early),
		cmocka_unit_test(test_pick__survives_more_points_than_promised),
		cmocka_unit_test(test_describe__keeps_within_its_buffer),
	};

	return cmocka_run_group_tests_name("strategy_dfs", tests, NULL, NULL);
}
