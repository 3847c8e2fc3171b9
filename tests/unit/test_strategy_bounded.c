/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_bounded.c - pb and db beyond what they visit (that is in
 * test_strategy_exhaustive.c): memory, reports, changing targets.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/enumerator.h"

#define W(o) { MODEL_WRITE, o }
#define C6 { MODEL_CHOOSE, 6 }

static const struct model two = {
	.nr_tasks = 2,
	.op = { { W(0), W(0) }, { W(1) } },
};

static const struct model wide = {
	.nr_tasks = 4,
	.op = { { W(0), W(0), W(0), W(0), W(0) },
		{ W(1), W(1), W(1), W(1), W(1) },
		{ W(2), W(2), W(2), W(2), W(2) },
		{ W(3), W(3), W(3), W(3), W(3) } },
};

static const struct model six_values = {
	.nr_tasks = 1,
	.op = { { C6, C6, C6, C6, C6, C6 } },
};

static const struct model values_and_steps = {
	.nr_tasks = 2,
	.op = { { C6, C6, C6, C6 }, { C6, W(1) } },
};

static void test_describe__follows_the_levels(void **state)
{
	static const char *const expected[] = {
		"all schedules without preemption: 1 run",
		("all schedules without preemption, part of those with 1: "
		 "2 runs"),
		"every schedule: 3 runs",
	};
	struct schedule s;
	struct driver d;

	(void)state;
	driver_start(&d, "pb:memory=1", 1);
	assert_string_equal(driver_describe(&d), "part of the schedules "
			    "without preemption: 0 runs");
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(driver_run(&d, &two, &s));
		assert_string_equal(driver_describe(&d), expected[i]);
	}
	assert_false(driver_run(&d, &two, &s));
	assert_string_equal(driver_describe(&d), expected[2]);
	driver_stop(&d);
}

static void assert_result(const struct model *m, const char *spec, size_t nr,
			  const char *text)
{
	struct schedules list = { 0 };
	struct driver d;

	driver_start(&d, spec, 1);
	assert_true(driver_run_all(&d, m, 1000000, &list));
	if (nr)
		assert_int_equal(list.nr, nr);
	schedules_sort(&list);
	assert_int_equal(schedules_count_doubles(&list), 0);
	assert_non_null(strstr(driver_describe(&d), text));
	schedules_release(&list);
	driver_stop(&d);
}

static void test_describe__says_bound_or_everything(void **state)
{
	(void)state;
	/* 001, 010 (one preemption), 100 (one: task 0 was running) */
	assert_result(&two, "pb:memory=1,bound=0", 1,
		      "all schedules without preemption: 1 run");
	assert_result(&two, "pb:memory=1,bound=1", 3, "every schedule: 3 runs");
	assert_result(&two, "db:memory=1,bound=0", 1,
		      "all schedules without delay: 1 run");
	assert_result(&two, "db:memory=1,bound=1", 3, "every schedule: 3 runs");
	assert_result(&wide, "db:memory=4,bound=2", 0,
		      "all schedules with up to 2 delays: ");
	assert_result(&wide, "pb:memory=4,bound=1", 0,
		      "all schedules with up to 1 preemption: ");
}

/* Room for some 20000 nodes and entries, many more schedules than that. */
static void test_memory__that_runs_out_is_reported(void **state)
{
	(void)state;
	assert_result(&wide, "pb:memory=1,bound=64", 0,
		      "preemptions on schedules are missing, for lack of room "
		      "(parameter memory)");
	assert_result(&wide, "db:memory=1,bound=64", 0,
		      "delays on schedules are missing, for lack of room "
		      "(parameter memory)");
}

/* What was complete before it ran out is said to be, and no more. */
static void test_memory__that_runs_out_leaves_full_levels(void **state)
{
	struct schedules list = { 0 }, all = { 0 };
	char text[64] = "all schedules with up to 0 preemptions: ";
	uint32_t level = 0;
	struct driver d;

	(void)state;
	driver_start(&d, "pb:memory=1,bound=64", 1);
	assert_true(driver_run_all(&d, &wide, 1000000, &list));
	assert_int_equal(sscanf(driver_describe(&d),
				"all schedules with up to %u", &level), 1);
	driver_stop(&d);
	assert_true(level >= 1);
	/* With room enough, as many cost that little. */
	memcpy(text, "pb:memory=64,bound=", 20);
	text[19] = (char)('0' + level);
	text[20] = '\0';
	driver_start(&d, text, 1);
	assert_true(driver_run_all(&d, &wide, 1000000, &all));
	assert_null(strstr(driver_describe(&d), "lack of room"));
	driver_stop(&d);
	assert_true(list.nr >= all.nr);
	list.nr = all.nr;	/* cheapest first */
	schedules_sort(&list);
	schedules_sort(&all);
	assert_true(schedules_are_equal(&list, &all));
	schedules_release(&list);
	schedules_release(&all);
}

/* 46656 runs with room for 21845 nodes: at the last level they are reused. */
static void test_memory__of_the_last_level_is_reused(void **state)
{
	(void)state;
	assert_result(&six_values, "pb:memory=1,bound=0", 46656,
		      "every schedule: 46656 runs");
	/* The steps of the tasks, 4 over and 2, then the values. */
	assert_result(&values_and_steps, "pb:memory=64,bound=64",
		      15 * 7776, "every schedule: ");
}

static void assert_strays(const struct model *first, const struct model *then)
{
	struct schedules list = { 0 };
	struct schedule s;
	struct driver d;

	driver_start(&d, "pb:memory=1", 1);
	assert_true(driver_run(&d, first, &s));
	assert_true(driver_run_all(&d, then, 100, &list));
	assert_non_null(strstr(driver_describe(&d),
			       "; the target is not deterministic, "));
	assert_null(strstr(driver_describe(&d), "every schedule"));
	schedules_release(&list);
	driver_stop(&d);
}

static void test_describe__tells_of_changed_targets(void **state)
{
	static const struct model other = {
		.nr_tasks = 2,
		.op = { { W(0), W(2) }, { W(2) } },
	};
	static const struct model empty = { .nr_tasks = 2 };

	(void)state;
	assert_strays(&two, &other);
	assert_strays(&two, &empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_describe__follows_the_levels),
		cmocka_unit_test(test_describe__says_bound_or_everything),
		cmocka_unit_test(test_memory__that_runs_out_is_reported),
		cmocka_unit_test(test_memory__that_runs_out_leaves_full_levels),
		cmocka_unit_test(test_memory__of_the_last_level_is_reused),
		cmocka_unit_test(test_describe__tells_of_changed_targets),
	};

	return cmocka_run_group_tests_name("strategy_bounded", tests, NULL,
					   NULL);
}
