/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_rr.c - whose turn it is, and for how long.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/enumerator.h"

#define W { MODEL_WRITE, 0 }

static const struct model two = {
	.nr_tasks = 2,
	.op = { { W, W, W, W, W, W }, { W, W, W, W, W, W } },
};

static const struct model three = {
	.nr_tasks = 3,
	.op = { { W, W }, { W, W }, { W, W } },
};

static const struct model locked = {
	.nr_tasks = 2,
	.op = { { { MODEL_LOCK, 0 }, W, W, W, { MODEL_UNLOCK, 0 }, W },
		{ { MODEL_LOCK, 0 }, { MODEL_UNLOCK, 0 } } },
};

static void assert_run(const struct model *m, uint64_t run,
		       const char *expected)
{
	struct schedule s;
	struct driver d;
	char got[MODEL_MAX_STEPS + 1] = "";

	driver_start(&d, "rr", 1);
	d.run = run;
	assert_true(driver_run(&d, m, &s));
	for (uint32_t i = 0; i < s.length; i++)
		got[i] = (char)('0' + s.chosen[i]);
	assert_string_equal(got, expected);
	driver_stop(&d);
}

static void test_pick__quantum_and_shift_follow_the_run(void **state)
{
	(void)state;
	assert_run(&two, 0, "010101010101");
	assert_run(&two, 1, "001100110011");
	assert_run(&two, 2, "011001100110");
	assert_run(&two, 3, "000111000111");
	assert_run(&two, 4, "001110001110");
	assert_run(&two, 5, "011100011100");
	assert_run(&two, 6, "000011110011");
	assert_run(&two, 1000, "000000111111");
	assert_run(&three, 0, "012012");
	assert_run(&three, 1, "001122");
	assert_run(&three, 2, "011220");
}

/* Blocking ends a turn; the other one's is whole then. */
static void test_pick__turn_ends_where_a_task_blocks(void **state)
{
	(void)state;
	assert_run(&locked, 0, "00000101");
	assert_run(&locked, 1, "00000011");
}

static void test_begin__takes_any_run_number(void **state)
{
	(void)state;
	assert_run(&two, UINT32_MAX, "000000111111");
	assert_run(&two, UINT64_MAX, "000000111111");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pick__quantum_and_shift_follow_the_run),
		cmocka_unit_test(test_pick__turn_ends_where_a_task_blocks),
		cmocka_unit_test(test_begin__takes_any_run_number),
	};

	return cmocka_run_group_tests_name("strategy_rr", tests, NULL, NULL);
}
