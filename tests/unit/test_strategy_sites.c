/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_sites.c - places have priorities; tasks at one place are alike.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/enumerator.h"

#define NR 40
#define PLACE_A 0x1001u
#define PLACE_B 0x2003u

/* All tasks but the last are at one place, the last at another. */
static void make_ops(struct explore_op *op, uint16_t kind, uint16_t last_kind)
{
	for (uint32_t i = 0; i < NR; i++)
		op[i] = (struct explore_op){
			.kind = i + 1 < NR ? kind : last_kind,
			.task = i,
			.site = i + 1 < NR ? PLACE_A : PLACE_B,
		};
}

static uint32_t first_pick(struct driver *d, uint64_t run,
			   const struct explore_op *op)
{
	d->strategy->begin(d->tool, run);
	return driver_pick_task(d, 0, 0, op, NR);
}

/* The one at its own place is first, or last, about as often as not. */
static void test_pick__gives_a_place_one_priority(void **state)
{
	struct explore_op op[NR];
	struct driver d;
	int nr_last = 0;

	(void)state;
	make_ops(op, EXPLORE_OP_MEMORY_WRITE, EXPLORE_OP_MEMORY_READ);
	driver_start(&d, "sites", 5);
	for (uint64_t run = 0; run < 1000; run++)
		nr_last += first_pick(&d, run, op) == NR - 1;
	driver_stop(&d);
	/* By tasks it would be 1 in 40. */
	assert_in_range(nr_last, 400, 600);
}

/* In one run of three, from `first` on, the last one goes first. */
static void check_held(uint64_t first, uint16_t kind, uint16_t last_kind)
{
	struct explore_op op[NR];
	struct driver d;

	make_ops(op, kind, last_kind);
	driver_start(&d, "sites", 6);
	for (uint64_t run = first; run < 300; run += 3)
		assert_int_equal(first_pick(&d, run, op), NR - 1);
	driver_stop(&d);
}

static void test_pick__puts_accesses_last_in_a_third_of_the_runs(void **state)
{
	(void)state;
	check_held(0, EXPLORE_OP_MEMORY_WRITE, EXPLORE_OP_MUTEX_LOCK);
}

static void test_pick__puts_starts_first_in_a_third_of_the_runs(void **state)
{
	(void)state;
	check_held(1, EXPLORE_OP_MUTEX_LOCK, EXPLORE_OP_THREAD_START);
	check_held(1, EXPLORE_OP_MEMORY_WRITE, EXPLORE_OP_THREAD_CREATE);
}

static void test_pick__orders_tasks_of_one_place_anew_in_each_run(void **state)
{
	struct explore_op op[NR];
	bool was_first[NR] = { false };
	struct driver d;
	int nr_different = 0;

	(void)state;
	make_ops(op, EXPLORE_OP_MEMORY_WRITE, EXPLORE_OP_MEMORY_WRITE);
	driver_start(&d, "sites", 7);
	for (uint64_t run = 0; run < 400; run++) {
		uint32_t task = first_pick(&d, run, op);

		nr_different += !was_first[task];
		was_first[task] = true;
	}
	driver_stop(&d);
	assert_true(nr_different > NR / 2);
}

/* With priorities drawn at every point, two tasks of one place take turns. */
static void test_pick__lets_tasks_of_one_place_alternate(void **state)
{
	struct explore_op op[NR];
	uint32_t nr_switches = 0, last = UINT32_MAX;
	struct driver d;

	(void)state;
	make_ops(op, EXPLORE_OP_MUTEX_LOCK, EXPLORE_OP_MUTEX_LOCK);
	driver_start(&d, "sites", 8);
	d.strategy->begin(d.tool, 4);
	for (uint64_t step = 0; step < 200; step++) {
		uint32_t task = driver_pick_task(&d, step, 0, op, 2);

		nr_switches += task != last;
		last = task;
	}
	driver_stop(&d);
	assert_in_range(nr_switches, 60, 140);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pick__gives_a_place_one_priority),
		cmocka_unit_test(
			test_pick__puts_accesses_last_in_a_third_of_the_runs),
		cmocka_unit_test(
			test_pick__puts_starts_first_in_a_third_of_the_runs),
		cmocka_unit_test(
			test_pick__orders_tasks_of_one_place_anew_in_each_run),
		cmocka_unit_test(test_pick__lets_tasks_of_one_place_alternate),
	};

	return cmocka_run_group_tests_name("strategy_sites", tests, NULL,
					   NULL);
}
