/* SPDX-License-Identifier: MIT */
/*
 * test_clock_approach.c - count to target, with skids from a list.
 *
 * A made-up processor executes instructions, some of them ticks, and its
 * overflow signals come late by the numbers of a list. The place where the
 * approach ends must be the instruction behind the target-th tick, whatever
 * the skids.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "preload/clock/approach.h"

#define NR_INSTRUCTIONS 200000
#define PERIOD 1085	/* instructions; the stream repeats itself */

/* Ticks by which signals came late: mostly few, now and then many. */
static const uint64_t skids[] = {
	0, 2, 1, 5, 3, 0, 0, 14, 7, 1, 22, 4, 6, 2, 0, 31, 9, 3, 1, 18, 44, 5,
	2, 11, 0, 63, 8, 27, 1, 3, 90, 16,
};

#define NR_SKIDS (sizeof(skids) / sizeof(skids[0]))

struct machine {
	uint64_t at;		/* instruction to be executed next */
	uint64_t count;		/* ticks so far */
	uint64_t nr_steps, nr_breaks;
};

/* Whether instruction i of the stream is a tick: not quite regular. */
static bool is_tick(uint64_t i)
{
	return i % 5 == 2 || i % 7 == 3 || i % 31 == 4;
}

static void execute(struct machine *m)
{
	m->count += is_tick(m->at);
	m->at++;
	assert_true(m->at < NR_INSTRUCTIONS);
}

/* Where the instruction behind the n-th tick is. */
static uint64_t place_of(uint64_t n)
{
	struct machine m = { 0 };

	while (m.count < n)
		execute(&m);
	return m.at;
}

static enum approach_what run_free(struct machine *m, struct approach *a,
				   uint64_t place, size_t *skid)
{
	uint64_t stop = m->count + a->period + skids[*skid % NR_SKIDS];

	while (m->count < stop)
		execute(m);
	/* The signal may come at any instruction from there. */
	for (uint64_t i = *skid % 3; i && !is_tick(m->at); i--)
		execute(m);
	++*skid;
	return approach_overflow(a, m->count, m->at == place);
}

/*
 * Run to the end of a slice. `place` is where that is, when it is known, else
 * 0. Returns the last answer, ARRIVED or MISSED.
 */
static enum approach_what run(struct machine *m, struct approach *a,
			      enum approach_what what, uint64_t place,
			      size_t *skid)
{
	for (;;) {
		bool was_tick = is_tick(m->at);

		switch (what) {
		case APPROACH_RUN:
			what = run_free(m, a, place, skid);
			break;
		case APPROACH_STEP:
			execute(m);
			m->nr_steps++;
			what = approach_stepped(a, was_tick);
			break;
		case APPROACH_BREAK:
			do
				execute(m);
			while (m->at % PERIOD != place % PERIOD);
			m->nr_breaks++;
			what = approach_reached(a, m->count);
			break;
		default:
			return what;
		}
	}
}

static const uint64_t targets[] = {
	1, 2, 3, 50, 127, 128, 129, 130, 200, 255, 256, 257, 1000, 4096, 20000,
};

#define NR_TARGETS (sizeof(targets) / sizeof(targets[0]))

static void test_first_time__ends_behind_the_tick(void **state)
{
	size_t skid = 0;

	(void)state;
	for (size_t i = 0; i < NR_TARGETS * NR_SKIDS; i++) {
		uint64_t target = targets[i % NR_TARGETS];
		struct machine m = { 0 };
		struct approach a;

		assert_int_equal(run(&m, &a, approach_begin(&a, target, 128,
							    false), 0, &skid),
				 APPROACH_ARRIVED);
		assert_int_equal(a.target, target);
		assert_int_equal(m.count, target);
		assert_int_equal(m.at, place_of(target));
	}
}

/* The margin is too small for some of the skids: the slice gets longer. */
static void test_first_time__moves_on_when_the_signal_is_late(void **state)
{
	uint32_t nr_late = 0;
	size_t skid = 0;

	(void)state;
	for (size_t i = 0; i < 2 * NR_SKIDS; i++) {
		struct machine m = { 0 };
		struct approach a;

		assert_int_equal(run(&m, &a, approach_begin(&a, 1000, 10,
							    false), 0, &skid),
				 APPROACH_ARRIVED);
		assert_in_range(a.target, 1000, 1000 + 90);
		assert_int_equal(m.count, a.target);
		assert_int_equal(m.at, place_of(a.target));
		nr_late += a.target > 1000;
	}
	assert_true(nr_late > NR_SKIDS / 2);
}

static void test_replay__ends_at_the_same_place(void **state)
{
	size_t skid = 5;

	(void)state;
	for (size_t i = 0; i < NR_TARGETS * NR_SKIDS; i++) {
		uint64_t target = targets[i % NR_TARGETS];
		uint64_t place = place_of(target);
		struct machine m = { 0 };
		struct approach a;

		assert_int_equal(run(&m, &a, approach_begin(&a, target, 256,
							    true), place,
				     &skid), APPROACH_ARRIVED);
		assert_int_equal(m.at, place);
		/* By breakpoints, not by thousands of steps. */
		assert_int_equal(m.nr_steps, 0);
		assert_true(m.nr_breaks <= 2);
	}
}

static void test_replay__tells_when_the_signal_is_late(void **state)
{
	struct approach a;

	(void)state;
	assert_int_equal(approach_begin(&a, 1000, 10, true), APPROACH_RUN);
	assert_int_equal(a.period, 990);
	assert_int_equal(approach_overflow(&a, 1001, false), APPROACH_MISSED);
	/* The right count, but the task is past the place. */
	assert_int_equal(approach_overflow(&a, 1000, false), APPROACH_MISSED);
	assert_int_equal(approach_overflow(&a, 1000, true), APPROACH_ARRIVED);
	assert_int_equal(approach_reached(&a, 999), APPROACH_BREAK);
	assert_int_equal(approach_reached(&a, 1001), APPROACH_MISSED);
}

static void test_overflow__may_come_early(void **state)
{
	struct approach a;

	(void)state;
	assert_int_equal(approach_begin(&a, 1000, 100, false), APPROACH_RUN);
	assert_int_equal(approach_overflow(&a, 300, false), APPROACH_RUN);
	assert_int_equal(a.period, 600);
	assert_int_equal(approach_overflow(&a, 899, false), APPROACH_RUN);
	assert_int_equal(a.period, 1);
	assert_int_equal(approach_overflow(&a, 900, false), APPROACH_STEP);
}

static void test_begin__never_runs_free_within_the_margin(void **state)
{
	struct approach a;

	(void)state;
	assert_int_equal(approach_begin(&a, 1, 128, false), APPROACH_STEP);
	assert_int_equal(approach_stepped(&a, false), APPROACH_STEP);
	assert_int_equal(approach_stepped(&a, true), APPROACH_ARRIVED);
	assert_int_equal(approach_begin(&a, 128, 128, true), APPROACH_BREAK);
	assert_int_equal(approach_begin(&a, 129, 128, true), APPROACH_RUN);
	assert_int_equal(a.period, 1);
}

static void test_passed__ends_behind_the_call(void **state)
{
	struct approach a;

	(void)state;
	assert_int_equal(approach_begin(&a, 10, 16, false), APPROACH_STEP);
	assert_int_equal(approach_passed(&a, 0), APPROACH_STEP);
	assert_int_equal(approach_passed(&a, 9), APPROACH_STEP);
	assert_int_equal(approach_passed(&a, 1), APPROACH_ARRIVED);
	assert_int_equal(a.target, 10);
	/* The tick was inside: the first place behind it counts more. */
	assert_int_equal(approach_begin(&a, 10, 16, false), APPROACH_STEP);
	assert_int_equal(approach_passed(&a, 25), APPROACH_ARRIVED);
	assert_int_equal(a.target, 25);
	assert_int_equal(approach_begin(&a, 10, 16, true), APPROACH_BREAK);
	assert_int_equal(approach_passed(&a, 25), APPROACH_MISSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_time__ends_behind_the_tick),
		cmocka_unit_test(
			test_first_time__moves_on_when_the_signal_is_late),
		cmocka_unit_test(test_replay__ends_at_the_same_place),
		cmocka_unit_test(test_replay__tells_when_the_signal_is_late),
		cmocka_unit_test(test_overflow__may_come_early),
		cmocka_unit_test(test_begin__never_runs_free_within_the_margin),
		cmocka_unit_test(test_passed__ends_behind_the_call),
	};

	return cmocka_run_group_tests_name("clock_approach", tests, NULL,
					   NULL);
}
