/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_exhaustive.c - dfs, pb and db visit exactly the schedules that
 * they promise, each once: by closed formulas, by an independent enumeration,
 * in a bare model and on top of the real scheduler.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/enumerator.h"

#define L(m) { MODEL_LOCK, m }
#define U(m) { MODEL_UNLOCK, m }
#define W(o) { MODEL_WRITE, o }
#define R(o) { MODEL_READ, o }
#define P(s) { MODEL_POST, s }
#define V(s) { MODEL_WAIT, s }
#define Z(e) { MODEL_SLEEP, e }
#define K(e) { MODEL_WAKE, e }
#define Y { MODEL_YIELD, 0 }
#define C(n) { MODEL_CHOOSE, n }

/* ------------------------------------------------------------ the models */

static const struct model independent = {
	.nr_tasks = 3,
	.op = { { W(0), W(0), W(0) }, { W(1), W(1) }, { W(2), W(2), W(2) } },
};

static const struct model two_tasks = {
	.nr_tasks = 2,
	.op = { { W(0), W(0), W(0), W(0), W(0) }, { W(1), W(1), W(1), W(1) } },
};

static const struct model one_step = {
	.nr_tasks = 6,
	.op = { { W(0) }, { W(1) }, { W(2) }, { W(3) }, { W(4) }, { W(5) } },
};

/* Two operations, one inside the lock, one behind it. */
static const struct model one_mutex = {
	.nr_tasks = 2,
	.op = { { W(1), W(1), L(0), W(2), U(0), W(1) },
		{ W(3), W(3), L(0), W(2), U(0), W(3) } },
};

static const struct model three_locks = {
	.nr_tasks = 3,
	.op = { { L(0), W(1), U(0) }, { L(0), W(1), U(0) },
		{ W(2), L(0), U(0), W(2) } },
};

static const struct model ab_ba = {
	.nr_tasks = 2,
	.op = { { L(0), L(1), U(0), U(1) }, { L(1), L(0), U(1), U(0) } },
};

static const struct model philosophers = {
	.nr_tasks = 3,
	.op = { { L(0), L(1), U(1), U(0) }, { L(1), L(2), U(2), U(1) },
		{ L(2), L(0), U(0), U(2) } },
};

static const struct model producer = {
	.nr_tasks = 2,
	.op = { { P(0), P(0), P(0), P(0), P(0) },
		{ V(0), V(0), V(0), V(0), V(0) } },
};

/* Permits: at most two of four inside. */
static const struct model permits = {
	.nr_tasks = 4,
	.value = { 2 },
	.op = { { V(0), P(0) }, { V(0), P(0) }, { V(0), P(0) },
		{ V(0), P(0) } },
};

static const struct model sleepers = {
	.nr_tasks = 4,
	.op = { { K(0), K(0), W(1) }, { Z(0), W(1) }, { Z(0) },
		{ Z(0), W(1) } },
};

static const struct model values = {
	.nr_tasks = 2,
	.op = { { C(3), W(0), C(2) }, { W(0), C(2) } },
};

static const struct model yields = {
	.nr_tasks = 3,
	.op = { { W(0), Y, W(0) }, { Y, W(0), W(0) }, { W(0), Y } },
};

static const struct model alone = {
	.nr_tasks = 1,
	.op = { { W(0), L(1), U(1) } },
};

static const struct model mixed = {
	.nr_tasks = 3,
	.value = { 0, 1 },
	.op = { { L(2), P(0), C(2), U(2), K(3) }, { V(0), L(2), U(2) },
		{ Z(3), V(1), P(0) } },
};

static const struct {
	const char *name;
	const struct model *m;
	bool has_yields;	/* the scheduler's fairness would cut some */
} models[] = {
	{ "independent", &independent, false },
	{ "two_tasks", &two_tasks, false },
	{ "one_step", &one_step, false },
	{ "one_mutex", &one_mutex, false },
	{ "three_locks", &three_locks, false },
	{ "ab_ba", &ab_ba, false },
	{ "philosophers", &philosophers, false },
	{ "producer", &producer, false },
	{ "permits", &permits, false },
	{ "sleepers", &sleepers, false },
	{ "values", &values, false },
	{ "yields", &yields, true },
	{ "alone", &alone, false },
	{ "mixed", &mixed, false },
};

#define NR_MODELS (sizeof(models) / sizeof(*models))

/* ------------------------------------------------------------- arithmetic */

static uint64_t choose(uint64_t n, uint64_t k)
{
	uint64_t value = 1;

	if (k > n)
		return 0;
	for (uint64_t i = 1; i <= k; i++)
		value = value * (n - k + i) / i;
	return value;
}

/* Permutations of n with that many inversions. */
static uint64_t mahonian(uint32_t n, int64_t inversions)
{
	uint64_t sum = 0;

	if (inversions < 0)
		return 0;
	if (!n)
		return !inversions;
	for (uint32_t i = 0; i < n; i++)
		sum += mahonian(n - 1, inversions - i);
	return sum;
}

/*
 * Interleavings of two tasks of m and n operations, the first of them starting
 * and `switches` times over. The last switch leaves a task that has ended.
 */
static uint64_t alternations(uint64_t m, uint64_t n, uint64_t switches)
{
	uint64_t blocks = switches + 1;

	return choose(m - 1, (blocks + 1) / 2 - 1) *
	       choose(n - 1, blocks / 2 - 1);
}

/* --------------------------------------------------------------- the tests */

static size_t count_all(const struct model *m)
{
	struct schedules all = { 0 };
	size_t nr;

	model_enumerate(m, &all);
	nr = all.nr;
	assert_int_equal(schedules_count_doubles(&all), 0);
	schedules_release(&all);
	return nr;
}

/* Run until exhausted; the schedules come sorted. Returns how many. */
static size_t exhaust(const struct model *m, const char *spec,
		      bool uses_scheduler, struct schedules *out)
{
	struct driver d;

	driver_start(&d, spec, 1);
	d.uses_scheduler = uses_scheduler;
	assert_true(driver_run_all(&d, m, 1000000, out));
	/* It stays exhausted. */
	assert_int_equal(d.strategy->begin(d.tool, d.run), 0);
	driver_stop(&d);
	schedules_sort(out);
	assert_int_equal(schedules_count_doubles(out), 0);
	return out->nr;
}

static size_t count_with(const struct model *m, const char *spec)
{
	struct schedules out = { 0 };
	size_t nr = exhaust(m, spec, false, &out);

	schedules_release(&out);
	return nr;
}

static void assert_counts(const struct model *m, uint64_t expected)
{
	assert_int_equal(count_all(m), expected);
	assert_int_equal(count_with(m, "dfs"), expected);
	assert_int_equal(count_with(m, "pb:bound=64,memory=4"), expected);
	assert_int_equal(count_with(m, "db:bound=64,memory=4"), expected);
}

static void test_count__independent_tasks_are_a_multinomial(void **state)
{
	(void)state;
	assert_counts(&independent, choose(8, 3) * choose(5, 2));
	assert_counts(&two_tasks, choose(9, 5));
	assert_counts(&one_step, 720);
	assert_counts(&alone, 1);
}

/*
 * Paths in a grid from (0,0) to (n,n) that avoid the square of states where
 * both hold the lock, [a,b] x [a,b]: half of them pass above it, through a
 * step from x = a - 1 to x = a at a y > b.
 */
static void test_count__one_mutex_is_a_path_around_a_square(void **state)
{
	const uint64_t a = 3, b = 4, n = 6;
	uint64_t half = 0;

	(void)state;
	for (uint64_t y = b + 1; y <= n; y++)
		half += choose(a - 1 + y, y) * choose((n - a) + (n - y), n - y);
	assert_counts(&one_mutex, 2 * half);
}

/* The consumer never overtakes: Catalan numbers. */
static void test_count__producer_and_consumer_are_catalan(void **state)
{
	(void)state;
	assert_counts(&producer, choose(10, 5) / 6);
}

/* One after the other, twice; or both at their first lock, in two orders. */
static void test_count__ab_ba_has_two_serial_and_two_deadlocks(void **state)
{
	struct schedules all = { 0 };
	size_t nr_deadlocks = 0;

	(void)state;
	assert_counts(&ab_ba, 4);
	model_enumerate(&ab_ba, &all);
	for (size_t i = 0; i < all.nr; i++)
		nr_deadlocks += all.at[i].is_deadlock;
	assert_int_equal(nr_deadlocks, 2);
	schedules_release(&all);
}

/* Interleavings of 3 and 2 steps, times the values each may take. */
static void test_count__values_multiply(void **state)
{
	(void)state;
	assert_counts(&values, choose(5, 2) * 3 * 2 * 2);
}

static void test_count__preemptions_of_two_tasks(void **state)
{
	uint64_t sum = 0;

	(void)state;
	for (uint32_t bound = 0; bound <= 8; bound++) {
		char spec[] = "pb:memory=1,bound=0";

		/* Task 0 was running, so to start with the other is one. */
		sum += alternations(5, 4, bound + 1);
		sum += alternations(4, 5, bound);
		spec[sizeof(spec) - 2] = (char)('0' + bound);
		assert_int_equal(count_with(&two_tasks, spec), sum);
	}
	assert_int_equal(sum, choose(9, 5));
}

static void test_count__delays_of_one_step_tasks_are_mahonian(void **state)
{
	uint64_t sum = 0;

	(void)state;
	for (uint32_t bound = 0; bound <= 9; bound++) {
		char spec[] = "db:memory=1,bound=0";

		sum += mahonian(6, bound);
		spec[sizeof(spec) - 2] = (char)('0' + bound);
		assert_int_equal(count_with(&one_step, spec), sum);
	}
}

static void compare(const struct model *m, const struct schedules *expected,
		    const char *name, const char *spec, bool uses_scheduler)
{
	struct schedules got = { 0 };

	exhaust(m, spec, uses_scheduler, &got);
	if (!schedules_are_equal(expected, &got))
		fail_msg("%s of '%s'%s: %zu schedules, not %zu", spec, name,
			 uses_scheduler ? " on the scheduler" : "", got.nr,
			 expected->nr);
	schedules_release(&got);
}

static void compare_bounds(const struct model *m, const struct schedules *all,
			   const char *name, bool uses_scheduler)
{
	for (uint32_t bound = 0; bound <= 4; bound++) {
		char pb[] = "pb:memory=4,bound=0", db[] = "db:memory=4,bound=0";
		struct schedules few = { 0 };

		pb[sizeof(pb) - 2] = db[sizeof(db) - 2] = (char)('0' + bound);
		schedules_filter(all, bound, UINT32_MAX, &few);
		compare(m, &few, name, pb, uses_scheduler);
		schedules_release(&few);
		schedules_filter(all, UINT32_MAX, bound, &few);
		compare(m, &few, name, db, uses_scheduler);
		schedules_release(&few);
	}
}

/* Same set as the recursion's, schedule by schedule. */
static void test_set__is_the_enumerated_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_MODELS; i++) {
		struct schedules all = { 0 };

		model_enumerate(models[i].m, &all);
		compare(models[i].m, &all, models[i].name, "dfs", false);
		compare(models[i].m, &all, models[i].name,
			"pb:bound=64,memory=4", false);
		compare(models[i].m, &all, models[i].name,
			"db:bound=64,memory=4", false);
		compare_bounds(models[i].m, &all, models[i].name, false);
		schedules_release(&all);
	}
}

static void test_set__is_the_same_on_the_scheduler(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_MODELS; i++) {
		struct schedules all = { 0 };

		if (models[i].has_yields)
			continue;
		model_enumerate(models[i].m, &all);
		compare(models[i].m, &all, models[i].name, "dfs", true);
		compare_bounds(models[i].m, &all, models[i].name, true);
		schedules_release(&all);
	}
}

/* The scheduler counts the preemptions that pb means. */
static void test_cost__of_pb_never_falls(void **state)
{
	static const char *const specs[] = { "pb:bound=64,memory=4",
					     "db:bound=64,memory=4" };

	(void)state;
	for (size_t i = 0; i < 2 * NR_MODELS; i++) {
		const struct model *m = models[i / 2].m;
		struct schedules all = { 0 };
		struct schedule s;
		struct driver d;
		uint32_t cost = 0;

		model_enumerate(m, &all);
		driver_start(&d, specs[i % 2], 1);
		while (driver_run(&d, m, &s)) {
			struct schedule *same = NULL;
			uint32_t now;

			for (size_t k = 0; k < all.nr && !same; k++)
				if (all.at[k].length == s.length &&
				    !memcmp(all.at[k].chosen, s.chosen,
					    s.length))
					same = &all.at[k];
			assert_non_null(same);
			now = i % 2 ? same->nr_delays : same->nr_preemptions;
			assert_true(now >= cost);
			cost = now;
		}
		driver_stop(&d);
		schedules_release(&all);
	}
}

static void test_cost__scheduler_counts_the_same_preemptions(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_MODELS; i++) {
		struct schedules all = { 0 }, got = { 0 };

		if (models[i].has_yields)
			continue;
		model_enumerate(models[i].m, &all);
		exhaust(models[i].m, "dfs", true, &got);
		assert_int_equal(all.nr, got.nr);
		for (size_t k = 0; k < all.nr; k++) {
			assert_int_equal(all.at[k].nr_preemptions,
					 got.at[k].nr_preemptions);
			assert_int_equal(all.at[k].is_deadlock,
					 got.at[k].is_deadlock);
		}
		schedules_release(&all);
		schedules_release(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_count__independent_tasks_are_a_multinomial),
		cmocka_unit_test(
			test_count__one_mutex_is_a_path_around_a_square),
		cmocka_unit_test(test_count__producer_and_consumer_are_catalan),
		cmocka_unit_test(
			test_count__ab_ba_has_two_serial_and_two_deadlocks),
		cmocka_unit_test(test_count__values_multiply),
		cmocka_unit_test(test_count__preemptions_of_two_tasks),
		cmocka_unit_test(
			test_count__delays_of_one_step_tasks_are_mahonian),
		cmocka_unit_test(test_set__is_the_enumerated_one),
		cmocka_unit_test(test_set__is_the_same_on_the_scheduler),
		cmocka_unit_test(test_cost__of_pb_never_falls),
		cmocka_unit_test(
			test_cost__scheduler_counts_the_same_preemptions),
	};

	return cmocka_run_group_tests_name("strategy_exhaustive", tests, NULL,
					   NULL);
}
