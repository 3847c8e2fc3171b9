/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_all.c - what holds for every strategy in the registry: legal
 * answers, answers that follow from seed and run number, workers that agree;
 * and what the default mix is made of.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "strategies/strategies.h"
#include "tests/unit/enumerator.h"

#define W(o) { MODEL_WRITE, o }
#define L(o) { MODEL_LOCK, o }
#define U(o) { MODEL_UNLOCK, o }
#define Z(o) { MODEL_SLEEP, o }
#define K(o) { MODEL_WAKE, o }
#define C(n) { MODEL_CHOOSE, n }
#define Y { MODEL_YIELD, 0 }
#define NR_RUNS 60

/* A bit of everything; long enough that random runs all differ. */
static const struct model busy = {
	.nr_tasks = 5,
	.op = { { W(0), L(1), W(0), C(4), U(1), W(2), K(5), W(2), K(5) },
		{ L(1), W(0), U(1), W(2), W(2), C(7), W(2), K(5), W(3) },
		{ Z(5), W(2), W(3), Y, W(3), C(2), W(3), W(4), W(4) },
		{ W(0), Y, Z(5), W(0), Y, W(0), L(1), W(4), U(1) },
		{ Z(5), C(3), W(4), W(4), L(1), U(1), W(0), W(0), C(9) } },
};

static const struct model ab_ba = {
	.nr_tasks = 2,
	.op = { { L(0), L(1), U(0), U(1) }, { L(1), L(0), U(1), U(0) } },
};

/* Every strategy, and some with parameters. */
static const char *const specs[] = {
	"portfolio", "random", "random:stay=8", "pct", "pct:depth=1",
	"pct:depth=64,steps=20", "pos", "dfs", "pb:memory=1",
	"db:memory=1,bound=3", "rr", "sites",
	"slices", "slices:bound=2,memory=1,every=3",
};

#define NR_SPECS (sizeof(specs) / sizeof(*specs))

static bool is_sequential(const struct driver *d)
{
	return d->strategy->flags & EXPLORE_STRATEGY_F_SEQUENTIAL;
}

static void run_many(const char *spec, uint64_t seed, struct schedules *out)
{
	struct driver d;

	driver_start(&d, spec, seed);
	assert_false(driver_run_all(&d, &busy, NR_RUNS, out));
	driver_stop(&d);
}

static void test_specs__cover_the_registry(void **state)
{
	(void)state;
	for (size_t i = 0; strategies_all()[i]; i++) {
		const char *name = strategies_all()[i]->name;
		bool is_there = false;

		assert_ptr_equal(strategies_find(name), strategies_all()[i]);
		for (size_t k = 0; k < NR_SPECS; k++)
			is_there |= !strncmp(specs[k], name, strlen(name));
		assert_true(is_there);
	}
	assert_null(strategies_find(""));
	assert_null(strategies_find("rando"));
	assert_null(strategies_find("randomm"));
	assert_string_equal(strategies_all()[0]->name, STRATEGIES_DEFAULT);
}

static void test_run__is_the_same_with_the_same_seed(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SPECS; i++) {
		struct schedules a = { 0 }, b = { 0 };

		run_many(specs[i], 42, &a);
		run_many(specs[i], 42, &b);
		assert_true(schedules_are_equal(&a, &b));
		schedules_release(&a);
		schedules_release(&b);
	}
}

static void test_run__differs_with_another_seed(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SPECS; i++) {
		struct schedules a = { 0 }, b = { 0 };
		struct driver d;
		bool is_random;

		driver_start(&d, specs[i], 0);
		is_random = !is_sequential(&d) && d.strategy != &strategy_rr;
		is_random |= !strcmp(specs[i], "slices");
		driver_stop(&d);
		run_many(specs[i], 42, &a);
		run_many(specs[i], 43, &b);
		assert_int_equal(schedules_are_equal(&a, &b), !is_random);
		schedules_release(&a);
		schedules_release(&b);
	}
}

/* Three workers that share the runs out do what one does. */
static void test_run__depends_on_its_number_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SPECS; i++) {
		struct schedules one = { 0 }, three = { 0 };
		struct driver d[3];

		for (uint32_t w = 0; w < 3; w++)
			driver_start(&d[w], specs[i], 7);
		run_many(specs[i], 7, &one);
		for (uint64_t run = 0; run < NR_RUNS; run++) {
			/* Not in turn: as workers finish. */
			uint32_t w = (uint32_t)(run * run / 7 % 3);
			struct schedule s;

			d[w].run = run;
			assert_true(driver_run(&d[w], &busy, &s));
			schedules_add(&three, &s);
		}
		if (!is_sequential(&d[0]))
			assert_true(schedules_are_equal(&one, &three));
		for (uint32_t w = 0; w < 3; w++)
			driver_stop(&d[w]);
		schedules_release(&one);
		schedules_release(&three);
	}
}

/* Large points and all kinds, at random; the driver checks each answer. */
static void test_pick__is_legal_at_any_point(void **state)
{
	static struct explore_op op[1000];
	uint64_t x = 88172645463325252ull;

	(void)state;
	for (size_t i = 0; i < NR_SPECS; i++) {
		struct driver d;

		driver_start(&d, specs[i], 3);
		driver_stop(&d);
		/* Again with room for more. */
		d.setup.max_tasks = 1000;
		d.bytes = d.strategy->state_bytes(&d.setup);
		d.tool = d.target = calloc(1, d.bytes);
		assert_non_null(d.tool);
		d.strategy->init(d.tool, &d.setup);
		for (uint64_t run = 0; run < 30; run++) {
			assert_int_equal(d.strategy->begin(d.tool, run), 1);
			for (uint64_t step = 0; step < MODEL_MAX_STEPS;
			     step++) {
				struct explore_point point = {
					.step = step,
					.previous = -1,
					.candidate = op,
				};

				x ^= x << 13;
				x ^= x >> 7;
				x ^= x << 17;
				point.kind = (x >> 8) % 3;
				for (uint32_t t = 0; t < 1000; t++) {
					if ((x >> (t % 61)) & 3)
						continue;
					op[point.nr++] = (struct explore_op){
						.task = t,
						.kind = EXPLORE_OP_YIELD,
						.flags = (uint16_t)(x % 16),
						.object = (x >> 3) % 5,
					};
				}
				if (!point.nr)
					op[point.nr++].task = 999;
				if (point.kind == EXPLORE_POINT_VALUE)
					point.candidate = NULL;
				else
					point.previous = (int32_t)(x % 7 %
						(point.nr + 1)) - 1;
				if (point.previous >= 0)
					point.previous_task =
						op[point.previous].task;
				driver_pick(&d, &point);
			}
			if (d.strategy->end)
				d.strategy->end(d.tool,
						&(struct explore_outcome){ 0 });
		}
		free(d.tool);
	}
}

static void test_runs__of_random_strategies_are_diverse(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SPECS; i++) {
		struct schedules list = { 0 };

		/* Without change points there are no more than 5! orders. */
		if (!strcmp(specs[i], "pct:depth=1"))
			continue;
		run_many(specs[i], 42, &list);
		schedules_sort(&list);
		assert_true(schedules_count_doubles(&list) < NR_RUNS / 2);
		schedules_release(&list);
	}
}

/* Each finds the deadlock of two tasks, the default in a few runs. */
static void test_runs__find_a_deadlock(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SPECS; i++) {
		struct schedule s = { 0 };
		struct driver d;

		driver_start(&d, specs[i], 1);
		/* One never leaves a task; the model has no places for the other. */
		if ((d.strategy == &strategy_pct && d.setup.value[0] == 1) ||
		    d.strategy == &strategy_sites) {
			driver_stop(&d);
			continue;
		}
		while (d.run < 500 && !s.is_deadlock)
			assert_true(driver_run(&d, &ab_ba, &s));
		assert_true(s.is_deadlock);
		if (!i)
			assert_true(d.run <= 10);
		driver_stop(&d);
	}
}

static void test_portfolio__begins_without_preemption(void **state)
{
	struct schedules all = { 0 };
	struct schedule s;
	struct driver d;

	(void)state;
	driver_start(&d, "portfolio", 9);
	assert_true(driver_run(&d, &ab_ba, &s));
	model_enumerate(&ab_ba, &all);
	for (size_t i = 0; i < all.nr; i++)
		if (!memcmp(all.at[i].chosen, s.chosen, s.length))
			assert_int_equal(all.at[i].nr_delays, 0);
	assert_memory_equal(s.chosen, "\0\0\0\0\1\1\1\1", 8);
	schedules_release(&all);
	driver_stop(&d);
}

/* In three lines of ten, whoever has not started yet goes before the others. */
static void test_portfolio__lets_tasks_start_first(void **state)
{
	struct explore_op op[] = {
		{ .kind = EXPLORE_OP_MUTEX_LOCK, .task = 0, .object = 1 },
		{ .kind = EXPLORE_OP_THREAD_START, .task = 2, .object = 2 },
		{ .kind = EXPLORE_OP_MEMORY_READ, .task = 3, .object = 3 },
		{ .kind = EXPLORE_OP_THREAD_START, .task = 7, .object = 4 },
	};
	uint32_t nr[8] = { 0 };
	struct driver d;

	(void)state;
	driver_start(&d, "portfolio", 3);
	for (uint64_t run = 1; run < 1000; run++) {
		uint64_t line = (run - 1) % 10;
		uint32_t pick;

		if (line != 3 && line != 6 && line != 8)
			continue;
		d.strategy->begin(d.tool, run);
		pick = driver_pick_task(&d, 0, 0, op, 4);
		assert_true(pick < 8);
		nr[pick]++;
	}
	driver_stop(&d);
	assert_int_equal(nr[0] + nr[3], 0);
	assert_in_range(nr[2], 100, 200);
	assert_in_range(nr[7], 100, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_specs__cover_the_registry),
		cmocka_unit_test(test_run__is_the_same_with_the_same_seed),
		cmocka_unit_test(test_run__differs_with_another_seed),
		cmocka_unit_test(test_run__depends_on_its_number_only),
		cmocka_unit_test(test_pick__is_legal_at_any_point),
		cmocka_unit_test(test_runs__of_random_strategies_are_diverse),
		cmocka_unit_test(test_runs__find_a_deadlock),
		cmocka_unit_test(test_portfolio__begins_without_preemption),
		cmocka_unit_test(test_portfolio__lets_tasks_start_first),
	};

	return cmocka_run_group_tests_name("strategy_all", tests, NULL, NULL);
}
