/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_replay.c - the recorded choice, or divergence.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <cmocka.h>

#include "strategies/strategies.h"
#include "strategies/replay.h"

/* As in a log: the number is one field among others. */
struct logged {
	uint64_t before;
	uint32_t chosen;
	uint32_t behind;
	uint64_t ticks;
};

static const struct logged script[] = {
	{ 1, 4, 1, 0 }, { 1, 0, 1, 0 }, { 1, 9, 1, 12345678901 },
};

static const struct explore_op ops[] = {
	{ .task = 0 }, { .task = 3 }, { .task = 4 }, { .task = 9 },
};

static int setup(void **state)
{
	struct explore_setup s = { .max_steps = 3, .max_tasks = 10 };

	/* Exactly what was asked for, for the address sanitizer. */
	*state = calloc(1, strategy_replay.state_bytes(&s));
	if (!*state)
		return -1;
	strategy_replay.init(*state, &s);
	return strategy_replay_fill(*state, &script[0].chosen,
				    &script[0].ticks, sizeof(script[0]), 3);
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static uint32_t pick(void *state, uint64_t step, enum explore_point_kind kind,
		     uint32_t nr)
{
	struct explore_point point = {
		.step = step,
		.kind = kind,
		.nr = nr,
		.candidate = kind == EXPLORE_POINT_VALUE ? NULL : ops,
		.previous = -1,
	};

	return strategy_replay.pick(state, &point).index;
}

static void test_pick__finds_the_recorded_task(void **state)
{
	assert_int_equal(strategy_replay.begin(*state, 77), 1);
	assert_int_equal(pick(*state, 0, EXPLORE_POINT_TASK, 4), 2);
	assert_int_equal(pick(*state, 1, EXPLORE_POINT_WAKE, 4), 0);
	assert_int_equal(pick(*state, 2, EXPLORE_POINT_TASK, 4), 3);
}

static void test_pick__gives_the_recorded_slice(void **state)
{
	struct explore_point point = {
		.kind = EXPLORE_POINT_TASK,
		.nr = 4,
		.candidate = ops,
		.previous = -1,
	};

	assert_int_equal(strategy_replay.pick(*state, &point).ticks, 0);
	point.step = 2;
	assert_int_equal(strategy_replay.pick(*state, &point).ticks,
			 12345678901);
}

static void test_pick__gives_the_recorded_number(void **state)
{
	assert_int_equal(pick(*state, 0, EXPLORE_POINT_VALUE, 5), 4);
	assert_int_equal(pick(*state, 1, EXPLORE_POINT_VALUE, 1), 0);
}

static void test_pick__diverges_where_the_choice_is_not_on_offer(void **state)
{
	assert_int_equal(pick(*state, 0, EXPLORE_POINT_TASK, 2),
			 EXPLORE_PICK_DIVERGED);
	assert_int_equal(pick(*state, 2, EXPLORE_POINT_TASK, 3),
			 EXPLORE_PICK_DIVERGED);
	assert_int_equal(pick(*state, 0, EXPLORE_POINT_VALUE, 4),
			 EXPLORE_PICK_DIVERGED);
}

static void test_pick__diverges_behind_the_end(void **state)
{
	assert_int_equal(pick(*state, 3, EXPLORE_POINT_TASK, 4),
			 EXPLORE_PICK_DIVERGED);
	assert_int_equal(pick(*state, UINT64_MAX, EXPLORE_POINT_VALUE, 4),
			 EXPLORE_PICK_DIVERGED);
}

static void test_fill__refuses_more_than_fits(void **state)
{
	struct logged four[4] = { { 0 } };

	assert_int_equal(strategy_replay_fill(*state, &four[0].chosen,
					      &four[0].ticks, sizeof(four[0]),
					      4), -E2BIG);
	/* What was there is still there. */
	assert_int_equal(pick(*state, 0, EXPLORE_POINT_TASK, 4), 2);
}

static void test_find__does_not_know_replay(void **state)
{
	(void)state;
	assert_null(strategies_find("replay"));
	for (size_t i = 0; strategies_all()[i]; i++)
		assert_ptr_not_equal(strategies_all()[i], &strategy_replay);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pick__finds_the_recorded_task),
		TEST(test_pick__gives_the_recorded_slice),
		TEST(test_pick__gives_the_recorded_number),
		TEST(test_pick__diverges_where_the_choice_is_not_on_offer),
		TEST(test_pick__diverges_behind_the_end),
		TEST(test_fill__refuses_more_than_fits),
		TEST(test_find__does_not_know_replay),
	};

	return cmocka_run_group_tests_name("strategy_replay", tests, NULL,
					   NULL);
}
