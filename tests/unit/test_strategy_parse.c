/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_parse.c - what may be typed behind --strategy.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "strategies/strategies.h"

static const struct explore_param big_params[] = {
	{ "low", "", 5, 5, 9 },
	{ "any", "", 0, 0, UINT64_MAX },
	{ .name = NULL },
};

static const struct explore_strategy big = {
	.name = "big",
	.param = big_params,
};

static const struct explore_strategy bare = { .name = "bare" };

static char name[32], err[STRATEGIES_TEXT_BYTES];
static struct explore_setup setup;

static int parse(const char *spec, const struct explore_strategy *s)
{
	memset(name, '#', sizeof(name));
	memset(err, '#', sizeof(err));
	setup = (struct explore_setup){ .seed = 7, .nr_values = 99 };
	return strategies_parse(spec, name, sizeof(name), &setup, s, err,
				sizeof(err));
}

static void assert_fails(const char *spec, const struct explore_strategy *s,
			 const char *text)
{
	assert_int_equal(parse(spec, s), -EINVAL);
	assert_string_equal(err, text);
}

static void test_parse__name_alone_takes_presets(void **state)
{
	(void)state;
	assert_int_equal(parse("pct", &strategy_pct), 0);
	assert_string_equal(name, "pct");
	assert_string_equal(err, "");
	assert_int_equal(setup.nr_values, 2);
	assert_int_equal(setup.value[0], 3);
	assert_int_equal(setup.value[1], 0);
	assert_int_equal(setup.seed, 7);
	assert_int_equal(parse("dfs", &strategy_dfs), 0);
	assert_int_equal(setup.nr_values, 0);
}

static void test_parse__values_go_to_their_places(void **state)
{
	(void)state;
	assert_int_equal(parse("pct:steps=100,depth=64", &strategy_pct), 0);
	assert_int_equal(setup.value[0], 64);
	assert_int_equal(setup.value[1], 100);
	assert_int_equal(parse("big:any=18446744073709551615", &big), 0);
	assert_true(setup.value[1] == UINT64_MAX);
	assert_int_equal(setup.value[0], 5);
	assert_int_equal(parse("big:low=0009", &big), 0);
	assert_int_equal(setup.value[0], 9);
}

static void test_parse__name_comes_without_a_strategy(void **state)
{
	(void)state;
	assert_int_equal(parse("no-such:a=b,,=", NULL), 0);
	assert_string_equal(name, "no-such");
	assert_int_equal(setup.nr_values, 99);
}

static void test_parse__path_may_hold_colons(void **state)
{
	static const struct {
		const char *spec, *name;
	} rows[] = {
		{ "./my.so", "./my.so" },
		{ "./my.so:low=6", "./my.so" },
		{ "./a:b.so", "./a:b.so" },
		{ "/x:y/z.so:low=6", "/x:y/z.so" },
		{ "/x:low=6/z.so", "/x:low=6/z.so" },
		{ "/x/z.so:v2", "/x/z.so:v2" },
		{ "./my=1.so", "./my=1.so" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(parse(rows[i].spec, &big), 0);
		assert_string_equal(name, rows[i].name);
		assert_int_equal(setup.value[0],
				 strstr(rows[i].spec, ".so:low") ? 6 : 5);
	}
}

static void test_parse__unknown_parameter_lists_those_there_are(void **state)
{
	(void)state;
	assert_fails("pct:x=1", &strategy_pct, "unknown parameter 'x' of "
		     "strategy 'pct' (it has: depth, steps)");
	assert_fails("pct:depthh=1", &strategy_pct, "unknown parameter "
		     "'depthh' of strategy 'pct' (it has: depth, steps)");
	assert_fails("pct:dept=1", &strategy_pct, "unknown parameter 'dept' "
		     "of strategy 'pct' (it has: depth, steps)");
	assert_fails("bare:x=1", &bare, "unknown parameter 'x' of strategy "
		     "'bare' (it has none)");
}

static void test_parse__value_out_of_range(void **state)
{
	(void)state;
	assert_fails("pct:depth=0", &strategy_pct, "value 0 of parameter "
		     "'depth' of strategy 'pct' is out of range (1 to 64)");
	assert_fails("pct:depth=65", &strategy_pct, "value 65 of parameter "
		     "'depth' of strategy 'pct' is out of range (1 to 64)");
	/* 2^64, and 2^64 + 3, which must not be taken for 3. */
	assert_fails("big:any=18446744073709551616", &big, "value "
		     "18446744073709551616 of parameter 'any' of strategy "
		     "'big' is out of range (0 to 18446744073709551615)");
	assert_fails("pct:depth=18446744073709551619", &strategy_pct,
		     "value 18446744073709551619 of parameter 'depth' of "
		     "strategy 'pct' is out of range (1 to 64)");
}

static void test_parse__value_is_no_number(void **state)
{
	static const char *const values[] = { "", "x", "-1", "+1", " 1", "1 ",
					      "0x1", "1.5", "3=3" };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		char spec[64] = "pct:depth=";
		char text[STRATEGIES_TEXT_BYTES] = "a number expected for "
			"parameter 'depth' of strategy 'pct', not '";

		strcat(spec, values[i]);
		strcat(strcat(text, values[i]), "'");
		assert_fails(spec, &strategy_pct, text);
	}
	assert_fails("pct:depth", &strategy_pct, "a number expected for "
		     "parameter 'depth' of strategy 'pct', not ''");
}

static void test_parse__parts_that_are_missing(void **state)
{
	(void)state;
	assert_fails("", &bare, "a strategy's name expected, not ''");
	assert_fails(":x=1", NULL, "a strategy's name expected, not ':x=1'");
	assert_fails("pct:", &strategy_pct, "a parameter expected, not ''");
	assert_fails("pct:=3", &strategy_pct, "a parameter expected, not '=3'");
	assert_fails("pct:depth=3,", &strategy_pct,
		     "a parameter expected, not ''");
	assert_fails("pct:,depth=3", &strategy_pct,
		     "a parameter expected, not ''");
	assert_fails("pct:depth=3,depth=3", &strategy_pct,
		     "parameter 'depth' of strategy 'pct' is given twice");
}

static void test_parse__name_too_long(void **state)
{
	(void)state;
	/* 31 characters fit, 32 do not. */
	assert_int_equal(parse("abcdefghijklmnopqrstuvwxyz12345", NULL), 0);
	assert_string_equal(name, "abcdefghijklmnopqrstuvwxyz12345");
	assert_fails("abcdefghijklmnopqrstuvwxyz123456", NULL, "strategy name "
		     "too long: 'abcdefghijklmnopqrstuvwxyz123456'");
}

static void test_parse__text_is_cut_off_not_overrun(void **state)
{
	char small[8] = "#######";

	(void)state;
	setup = (struct explore_setup){ 0 };
	assert_int_equal(strategies_parse("pct:x=1", name, sizeof(name), &setup,
					  &strategy_pct, small, 5), -EINVAL);
	assert_memory_equal(small, "unkn\0##", 8);
	assert_int_equal(strategies_parse("pct:x=1", name, sizeof(name), &setup,
					  &strategy_pct, small, 0), -EINVAL);
	assert_memory_equal(small, "unkn\0##", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse__name_alone_takes_presets),
		cmocka_unit_test(test_parse__values_go_to_their_places),
		cmocka_unit_test(test_parse__name_comes_without_a_strategy),
		cmocka_unit_test(test_parse__path_may_hold_colons),
		cmocka_unit_test(
			test_parse__unknown_parameter_lists_those_there_are),
		cmocka_unit_test(test_parse__value_out_of_range),
		cmocka_unit_test(test_parse__value_is_no_number),
		cmocka_unit_test(test_parse__parts_that_are_missing),
		cmocka_unit_test(test_parse__name_too_long),
		cmocka_unit_test(test_parse__text_is_cut_off_not_overrun),
	};

	return cmocka_run_group_tests_name("strategy_parse", tests, NULL,
					   NULL);
}
