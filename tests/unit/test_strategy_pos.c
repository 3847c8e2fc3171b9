/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_pos.c - who keeps a priority, and who draws a new one.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/enumerator.h"

#define NR 5

/* NR tasks about to write: one object each, or all the same. */
static void make_ops(struct explore_op *op, bool are_dependent)
{
	for (uint32_t i = 0; i < NR; i++)
		op[i] = (struct explore_op){
			.kind = EXPLORE_OP_MEMORY_WRITE,
			.flags = EXPLORE_OP_F_WRITES,
			.task = i,
			.object = are_dependent ? 1 : i + 1,
		};
}

static uint32_t pick_of(struct driver *d, uint64_t step, uint32_t previous,
			const struct explore_op *from, const bool *is_offered)
{
	struct explore_op op[NR];
	uint32_t nr = 0;

	for (uint32_t i = 0; i < NR; i++)
		if (is_offered[i])
			op[nr++] = from[i];
	return driver_pick_task(d, step, previous, op, nr);
}

/* The tasks by the priorities they draw at the first point, highest first. */
static void find_order(struct driver *d, uint64_t run, uint32_t *order)
{
	bool is_offered[NR] = { true, true, true, true, true };
	struct explore_op op[NR];
	uint32_t previous = NR;

	make_ops(op, false);
	d->strategy->begin(d->tool, run);
	for (uint32_t i = 0; i < NR; i++) {
		previous = pick_of(d, i, previous, op, is_offered);
		is_offered[previous] = false;
		order[i] = previous;
	}
}

/* After the first pick, is the lowest still below the second lowest? */
static bool is_kept(struct driver *d, uint64_t run, const uint32_t *order,
		    bool are_dependent)
{
	const bool all[NR] = { true, true, true, true, true };
	bool two[NR] = { false };
	struct explore_op op[NR];

	make_ops(op, are_dependent);
	two[order[3]] = two[order[4]] = true;
	d->strategy->begin(d->tool, run);
	assert_int_equal(pick_of(d, 0, NR, op, all), order[0]);
	return pick_of(d, 1, order[0], op, two) == order[3];
}

static void test_pick__independent_operations_keep_theirs(void **state)
{
	struct driver d;

	(void)state;
	driver_start(&d, "pos", 8);
	for (uint64_t run = 0; run < 500; run++) {
		uint32_t order[NR];

		find_order(&d, run, order);
		assert_true(is_kept(&d, run, order, false));
	}
	driver_stop(&d);
}

static void test_pick__dependent_operations_draw_anew(void **state)
{
	uint32_t nr_kept = 0;
	struct driver d;

	(void)state;
	driver_start(&d, "pos", 8);
	for (uint64_t run = 0; run < 1000; run++) {
		uint32_t order[NR];

		find_order(&d, run, order);
		nr_kept += is_kept(&d, run, order, true);
	}
	assert_in_range(nr_kept, 400, 600);
	driver_stop(&d);
}

/* Two readers do not depend on each other, a reader and a writer do. */
static void test_pick__readers_keep_theirs(void **state)
{
	struct driver d;

	(void)state;
	driver_start(&d, "pos", 8);
	for (uint64_t run = 0; run < 200; run++) {
		const bool all[NR] = { true, true, true, true, true };
		bool two[NR] = { false };
		struct explore_op op[NR];
		uint32_t order[NR];

		find_order(&d, run, order);
		make_ops(op, true);
		for (uint32_t i = 0; i < NR; i++)
			op[i].flags = 0;
		two[order[3]] = two[order[4]] = true;
		d.strategy->begin(d.tool, run);
		assert_int_equal(pick_of(&d, 0, NR, op, all), order[0]);
		assert_int_equal(pick_of(&d, 1, order[0], op, two), order[3]);
	}
	driver_stop(&d);
}

/* The order of first picks is even over all of them. */
static void test_pick__every_order_is_as_likely(void **state)
{
	uint32_t nr_first[NR] = { 0 }, nr_last[NR] = { 0 };
	struct driver d;

	(void)state;
	driver_start(&d, "pos", 21);
	for (uint64_t run = 0; run < 5000; run++) {
		uint32_t order[NR];

		find_order(&d, run, order);
		nr_first[order[0]]++;
		nr_last[order[NR - 1]]++;
	}
	for (uint32_t i = 0; i < NR; i++) {
		assert_in_range(nr_first[i], 850, 1150);
		assert_in_range(nr_last[i], 850, 1150);
	}
	driver_stop(&d);
}

/* The next operation of the task that ran has a priority of its own. */
static void test_pick__next_operation_draws_anew(void **state)
{
	const bool all[NR] = { true, true, true, true, true };
	uint32_t nr_again = 0;
	struct explore_op op[NR];
	struct driver d;

	(void)state;
	make_ops(op, false);
	driver_start(&d, "pos", 3);
	for (uint64_t run = 0; run < 3000; run++) {
		uint32_t first;

		d.strategy->begin(d.tool, run);
		first = pick_of(&d, 0, NR, op, all);
		nr_again += pick_of(&d, 1, first, op, all) == first;
	}
	/*
	 * The new one is the highest of five with a chance of one in five, as
	 * the others are what is left below the highest: 1 - 4/5 (their
	 * maximum's mean of 1 - 2/6, to be beaten) gives one in three.
	 */
	assert_in_range(nr_again, 900, 1100);
	driver_stop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pick__independent_operations_keep_theirs),
		cmocka_unit_test(test_pick__dependent_operations_draw_anew),
		cmocka_unit_test(test_pick__readers_keep_theirs),
		cmocka_unit_test(test_pick__every_order_is_as_likely),
		cmocka_unit_test(test_pick__next_operation_draws_anew),
	};

	return cmocka_run_group_tests_name("strategy_pos", tests, NULL, NULL);
}
