/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_random.c - the random walk is even, and stays when asked to.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/enumerator.h"

#define NR 5
#define PICKS 50000

static const struct explore_op ops[NR] = {
	{ .task = 0 }, { .task = 2 }, { .task = 3 }, { .task = 5 },
	{ .task = 7 },
};

/* How often each answer comes, with ops[previous] running. */
static void count(const char *spec, int32_t previous,
		  enum explore_point_kind kind, uint32_t *times)
{
	struct driver d;

	driver_start(&d, spec, 12345);
	d.strategy->begin(d.tool, 3);
	for (uint32_t i = 0; i < NR; i++)
		times[i] = 0;
	for (uint64_t step = 0; step < PICKS; step++) {
		struct explore_point point = {
			.step = step,
			.kind = kind,
			.nr = NR,
			.candidate = kind == EXPLORE_POINT_VALUE ? NULL : ops,
			.previous = previous,
		};

		times[driver_pick(&d, &point)]++;
	}
	driver_stop(&d);
}

/* Within 5 standard deviations of p * PICKS, p = 1 / inverse. */
static void assert_share(uint32_t times, double inverse)
{
	double p = 1 / inverse, mean = PICKS * p;
	double distance = times - mean;

	assert_true(distance * distance < 25 * mean * (1 - p));
}

static void test_pick__is_even(void **state)
{
	uint32_t times[NR];

	(void)state;
	for (int32_t kind = 0; kind < 3; kind++) {
		count("random", kind == EXPLORE_POINT_TASK ? 2 : -1,
		      (enum explore_point_kind)kind, times);
		for (uint32_t i = 0; i < NR; i++)
			assert_share(times[i], NR);
	}
}

static void test_pick__stays_with_stay(void **state)
{
	uint32_t times[NR];

	(void)state;
	count("random:stay=10", 3, EXPLORE_POINT_TASK, times);
	for (uint32_t i = 0; i < NR; i++)
		if (i == 3)
			assert_share(PICKS - times[i], 10);
		else
			assert_share(times[i], 40);
}

/*
 * 3 * 2^30 answers from 32 random bits: without care every third one would
 * come twice as often as the others.
 */
static void test_pick__is_even_for_large_numbers(void **state)
{
	struct explore_point point = {
		.kind = EXPLORE_POINT_VALUE,
		.nr = 3u << 30,
		.previous = -1,
	};
	uint32_t times[3] = { 0 };
	struct driver d;

	(void)state;
	driver_start(&d, "random", 12345);
	d.strategy->begin(d.tool, 3);
	for (uint32_t i = 0; i < PICKS; i++)
		times[driver_pick(&d, &point) % 3]++;
	for (uint32_t i = 0; i < 3; i++)
		assert_share(times[i], 3);
	driver_stop(&d);
}

/* Nobody to stay with, and no task points: even again. */
static void test_pick__is_even_with_stay_where_nobody_runs(void **state)
{
	uint32_t times[NR];

	(void)state;
	count("random:stay=10", -1, EXPLORE_POINT_TASK, times);
	for (uint32_t i = 0; i < NR; i++)
		assert_share(times[i], NR);
	count("random:stay=10", -1, EXPLORE_POINT_WAKE, times);
	for (uint32_t i = 0; i < NR; i++)
		assert_share(times[i], NR);
}

static void test_pick__with_stay_1_always_leaves(void **state)
{
	uint32_t times[NR];

	(void)state;
	count("random:stay=1", 0, EXPLORE_POINT_TASK, times);
	assert_int_equal(times[0], 0);
	for (uint32_t i = 1; i < NR; i++)
		assert_share(times[i], NR - 1);
}

/* Runs are streams of their own, not one stream cut at other places. */
static void test_begin__makes_unrelated_runs(void **state)
{
	uint32_t value[64][8];
	uint32_t nr_same = 0;
	struct driver d;

	(void)state;
	driver_start(&d, "random", 0);
	for (uint64_t run = 0; run < 64; run++) {
		struct explore_point point = {
			.kind = EXPLORE_POINT_VALUE,
			.nr = 1u << 30,
			.previous = -1,
		};

		d.strategy->begin(d.tool, run);
		for (uint32_t i = 0; i < 8; i++)
			value[run][i] = driver_pick(&d, &point);
	}
	for (uint32_t a = 0; a < 512; a++)
		for (uint32_t b = 0; b < a; b++)
			nr_same += value[a / 8][a % 8] == value[b / 8][b % 8];
	assert_true(nr_same < 3);
	driver_stop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pick__is_even),
		cmocka_unit_test(test_pick__is_even_for_large_numbers),
		cmocka_unit_test(test_pick__stays_with_stay),
		cmocka_unit_test(
			test_pick__is_even_with_stay_where_nobody_runs),
		cmocka_unit_test(test_pick__with_stay_1_always_leaves),
		cmocka_unit_test(test_begin__makes_unrelated_runs),
	};

	return cmocka_run_group_tests_name("strategy_random", tests, NULL,
					   NULL);
}
