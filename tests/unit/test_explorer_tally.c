/* SPDX-License-Identifier: MIT */
/*
 * test_explorer_tally.c - sets of digests, sums over runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "explorer/search/tally.h"

static void test_set_add__says_what_is_new(void **state)
{
	struct set s = { NULL, 0, 0 };

	(void)state;
	assert_false(set_has(&s, 7));
	assert_true(set_add(&s, 7));
	assert_false(set_add(&s, 7));
	assert_true(set_has(&s, 7));
	assert_false(set_has(&s, 8));
	/* 0 marks a free slot inside, and is a value like others outside. */
	assert_false(set_has(&s, 0));
	assert_true(set_add(&s, 0));
	assert_false(set_add(&s, 0));
	assert_int_equal(s.nr, 2);
	set_release(&s);
	assert_int_equal(s.nr, 0);
}

static void test_set_add__keeps_all_while_it_grows(void **state)
{
	const uint64_t nr = 100000;
	struct set s = { NULL, 0, 0 };

	(void)state;
	/* Neighbours and multiples: what a poor hash would pile up. */
	for (uint64_t i = 1; i <= nr; i++)
		assert_true(set_add(&s, i << 20));
	for (uint64_t i = 1; i <= nr; i++)
		assert_false(set_add(&s, i << 20));
	assert_int_equal(s.nr, nr);
	assert_true(s.capacity >= 2 * nr);
	set_release(&s);
}

static void test_tally_add__sums_runs(void **state)
{
	static struct record a = { .steps = 10, .digest = 1, .nr_tasks = 3 };
	static struct record b = { .steps = 4, .digest = 2, .nr_tasks = 5 };
	static struct tally t;

	(void)state;
	a.nr_ops[EXPLORE_OP_MUTEX_LOCK] = 6;
	b.nr_ops[EXPLORE_OP_MUTEX_LOCK] = 1;
	a.counters.forks = 2;
	b.counters.passed[CONTROL_MAX_SYSCALLS - 1] = 9;
	tally_add(&t, &a);
	tally_add(&t, &b);
	tally_add(&t, &a);
	assert_int_equal(t.runs, 3);
	assert_int_equal(t.digests.nr, 2);
	assert_int_equal(t.steps, 24);
	assert_int_equal(t.max_steps, 10);
	assert_int_equal(t.max_tasks, 5);
	assert_int_equal(t.nr_ops[EXPLORE_OP_MUTEX_LOCK], 13);
	assert_int_equal(t.counters.forks, 4);
	assert_int_equal(t.counters.passed[CONTROL_MAX_SYSCALLS - 1], 9);
	set_release(&t.digests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_add__says_what_is_new),
		cmocka_unit_test(test_set_add__keeps_all_while_it_grows),
		cmocka_unit_test(test_tally_add__sums_runs),
	};

	return cmocka_run_group_tests_name("explorer_tally", tests, NULL,
					   NULL);
}
