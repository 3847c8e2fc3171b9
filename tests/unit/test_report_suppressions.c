/* SPDX-License-Identifier: MIT */
/*
 * test_report_suppressions.c - the file format and the patterns.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "explorer/races/suppressions.h"

static void test_matches__anywhere(void **state)
{
	(void)state;
	assert_true(suppression_matches("foo", "foo"));
	assert_true(suppression_matches("foo", "a_foo_b"));
	assert_true(suppression_matches("aab", "aaab"));
	assert_false(suppression_matches("foo", "fo"));
	assert_false(suppression_matches("foo", "Foo"));
	assert_false(suppression_matches("foo", NULL));
}

static void test_matches__anchors(void **state)
{
	(void)state;
	assert_true(suppression_matches("^foo$", "foo"));
	assert_false(suppression_matches("^foo$", "foobar"));
	assert_false(suppression_matches("^foo$", "a_foo"));
	assert_true(suppression_matches("^foo", "foobar"));
	assert_false(suppression_matches("^foo", "a_foo"));
	assert_true(suppression_matches("bar$", "foobar"));
	assert_true(suppression_matches("ar$", "arar"));
	assert_false(suppression_matches("bar$", "barfoo"));
	assert_true(suppression_matches("^$", ""));
	assert_false(suppression_matches("^$", "x"));
}

static void test_matches__stars(void **state)
{
	(void)state;
	assert_true(suppression_matches("*file.c", "src/file.c"));
	assert_true(suppression_matches("a*c", "xabbbcx"));
	assert_true(suppression_matches("^a*c$", "ac"));
	assert_true(suppression_matches("^a**c$", "abc"));
	assert_true(suppression_matches("^a*b*c$", "abxbyc"));
	assert_false(suppression_matches("^a*c$", "abcd"));
	assert_false(suppression_matches("a*c", "cba"));
	assert_true(suppression_matches("*", ""));
	/* No letter of a glob or of a regular expression means anything. */
	assert_false(suppression_matches("a?c", "abc"));
	assert_false(suppression_matches("[ab]", "a"));
	assert_true(suppression_matches("[]", "operator[]"));
	assert_true(suppression_matches("a.c", "a.c"));
	assert_false(suppression_matches("a.c", "abc"));
}

static void test_parse__lines(void **state)
{
	struct suppressions s = { NULL, 0 };

	(void)state;
	suppressions_parse(&s, "# race:commented\n"
			       "\n"
			       "  race:one \t\r\n"
			       "race_top:two\n"
			       "deadlock:three\n"
			       "mutex:four\n"
			       "racer:five\n"
			       "race:\n"
			       "race:std::vector*\n"
			       "called_from_lib:libx.so\n"
			       "race:last");
	assert_int_equal(s.nr, 5);
	assert_string_equal(s.entry[0].pattern, "one");
	assert_int_equal(s.entry[0].kind, SUPPRESSION_RACE);
	assert_string_equal(s.entry[1].pattern, "two");
	assert_int_equal(s.entry[1].kind, SUPPRESSION_TOP);
	assert_string_equal(s.entry[2].pattern, "std::vector*");
	assert_string_equal(s.entry[3].pattern, "libx.so");
	assert_int_equal(s.entry[3].kind, SUPPRESSION_CALLER);
	assert_string_equal(s.entry[4].pattern, "last");
	suppressions_release(&s);
	assert_int_equal(s.nr, 0);
}

static void test_match__top_only_where_it_is_the_top(void **state)
{
	struct suppressions s = { NULL, 0 };

	(void)state;
	suppressions_parse(&s, "race_top:inner\nrace:outer\n");
	assert_true(suppressions_match(&s, "inner", true));
	assert_false(suppressions_match(&s, "inner", false));
	assert_true(suppressions_match(&s, "outer", true));
	assert_true(suppressions_match(&s, "outer", false));
	assert_false(suppressions_match(&s, NULL, true));
	suppressions_release(&s);
}

static void test_match__callers_by_their_module(void **state)
{
	struct suppressions s = { NULL, 0 };

	(void)state;
	suppressions_parse(&s, "race_top:inner\n");
	assert_false(suppressions_need_stacks(&s));
	suppressions_parse(&s, "called_from_lib:^libx.so\n");
	assert_true(suppressions_need_stacks(&s));
	assert_true(suppressions_match_caller(&s, "libx.so.3"));
	assert_false(suppressions_match_caller(&s, "mylibx.so"));
	assert_false(suppressions_match_caller(&s, "inner"));
	assert_false(suppressions_match_caller(&s, NULL));
	assert_false(suppressions_match(&s, "libx.so.3", true));
	suppressions_release(&s);
}

static void test_load__says_why_not(void **state)
{
	struct suppressions s = { NULL, 0 };

	(void)state;
	assert_int_equal(suppressions_load(&s, "/nonexistent/file"), -ENOENT);
	assert_int_equal(s.nr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches__anywhere),
		cmocka_unit_test(test_matches__anchors),
		cmocka_unit_test(test_matches__stars),
		cmocka_unit_test(test_parse__lines),
		cmocka_unit_test(test_match__top_only_where_it_is_the_top),
		cmocka_unit_test(test_match__callers_by_their_module),
		cmocka_unit_test(test_load__says_why_not),
	};

	return cmocka_run_group_tests_name("report_suppressions", tests, NULL,
					   NULL);
}
