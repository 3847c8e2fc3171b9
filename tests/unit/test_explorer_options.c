/* SPDX-License-Identifier: MIT */
/*
 * test_explorer_options.c - the command line as a struct.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "explorer/cli/options.h"

#define MAX_ARGS 16
#define MAX_LINE 256

/* Split at blanks and parse. The strings live until the next call. */
static int parse(struct options *o, const char *line, struct errbuf *err)
{
	static char text[MAX_LINE];
	static char *argv[MAX_ARGS + 1];
	int argc = 0;

	assert_true(strlen(line) < sizeof(text));
	strcpy(text, line);
	for (char *p = strtok(text, " "); p; p = strtok(NULL, " "))
		argv[argc++] = p;
	argv[argc] = NULL;
	err->text[0] = '\0';
	return options_parse(o, argc, argv, err);
}

#define PARSE(line) parse(&o, line, &err)

static void test_parse__fills_in_defaults(void **state)
{
	struct options o;
	struct errbuf err;

	(void)state;
	assert_int_equal(PARSE("explore ./test"), 0);
	assert_int_equal(o.command, COMMAND_RUN);
	assert_int_equal(o.budget.runs, 1000);
	assert_int_equal(o.budget.time_ns, 0);
	assert_int_equal(o.seed, 1);
	assert_int_equal(o.jobs, 1);
	assert_int_equal(o.max_steps, 1000000);
	assert_int_equal(o.run_timeout_ms, 30000);
	assert_int_equal(o.slack_ns, 100000000);
	assert_null(o.strategy);
	assert_null(o.stdin_path);
	assert_string_equal(o.traces, "explore-traces");
	assert_true(o.has_guard);
	assert_false(o.wakes_any || o.is_keep_going || o.shows_output);
	assert_int_equal(o.ok_exit[0], 1);
	assert_int_equal(o.ok_exit[1], 0);
	assert_int_equal(o.nr_operands, 1);
	assert_string_equal(o.operand[0], "./test");
	assert_null(o.operand[1]);
}

static void test_parse__takes_every_option(void **state)
{
	struct options o;
	struct errbuf err;

	(void)state;
	assert_int_equal(PARSE("explore run --budget=7 --strategy pct:depth=2 "
			       "--seed 9 -j4 -k --wake any -q ./t"), 0);
	assert_int_equal(o.budget.runs, 7);
	assert_string_equal(o.strategy, "pct:depth=2");
	assert_int_equal(o.seed, 9);
	assert_int_equal(o.jobs, 4);
	assert_true(o.is_keep_going && o.wakes_any && o.is_quiet);

	assert_int_equal(PARSE("explore --stdin in --traces d --no-guard "
			       "--show-output --ok-exit 3 x"), 0);
	assert_string_equal(o.stdin_path, "in");
	assert_string_equal(o.traces, "d");
	assert_false(o.has_guard);
	assert_true(o.shows_output);
	assert_int_equal(o.ok_exit[3], 1);
	assert_int_equal(o.ok_exit[4], 0);

	assert_int_equal(PARSE("explore --ok-exit 3 --ok-exit 200 "
			       "--run-timeout 2 --time-slack 0 "
			       "--max-steps 50 x"), 0);
	assert_int_equal(o.ok_exit[3] + o.ok_exit[200], 2);
	assert_int_equal(o.run_timeout_ms, 2000);
	assert_int_equal(o.slack_ns, 0);
	assert_int_equal(o.max_steps, 50);
}

/* What stands behind the program is the program's. */
static void test_parse__stops_at_the_program(void **state)
{
	struct options o;
	struct errbuf err;

	(void)state;
	assert_int_equal(PARSE("explore -b 5 ./t --seed 4 -x"), 0);
	assert_int_equal(o.seed, 1);
	assert_int_equal(o.nr_operands, 4);
	assert_string_equal(o.operand[3], "-x");
	assert_int_equal(PARSE("explore -b 5 -- --odd -x"), 0);
	assert_string_equal(o.operand[0], "--odd");
	assert_int_equal(PARSE("explore run -- ls"), 0);
	assert_int_equal(o.command, COMMAND_RUN);
	assert_string_equal(o.operand[0], "ls");
}

static void test_parse__knows_the_commands(void **state)
{
	struct options o;
	struct errbuf err;

	(void)state;
	assert_int_equal(PARSE("explore replay"), 0);
	assert_int_equal(o.command, COMMAND_REPLAY);
	assert_int_equal(o.nr_operands, 0);
	assert_non_null(o.operand);
	assert_int_equal(PARSE("explore replay --quiet t/x-0"), 0);
	assert_string_equal(o.operand[0], "t/x-0");
	assert_int_equal(PARSE("explore dump --json"), 0);
	assert_true(o.is_json);
	assert_int_equal(PARSE("explore ./replay"), 0);
	assert_int_equal(o.command, COMMAND_RUN);
	for (int i = 0; i < COMMAND_NR; i++)
		assert_int_equal(options_find_command(
			options_command_name((enum command)i)), i);
	assert_int_equal(options_find_command("nosuch"), COMMAND_NR);
}

static void test_parse__explains_what_is_asked_for(void **state)
{
	struct options o;
	struct errbuf err;

	(void)state;
	assert_int_equal(PARSE("explore --help"), 0);
	assert_int_equal(o.command, COMMAND_HELP);
	assert_int_equal(o.about, COMMAND_HELP);
	assert_int_equal(PARSE("explore replay --help"), 0);
	assert_int_equal(o.command, COMMAND_HELP);
	assert_int_equal(o.about, COMMAND_REPLAY);
	assert_int_equal(PARSE("explore help dump"), 0);
	assert_int_equal(o.about, COMMAND_DUMP);
	assert_int_equal(PARSE("explore -V"), 0);
	assert_int_equal(o.command, COMMAND_VERSION);
	/* It wins over what is missing or follows. */
	assert_int_equal(PARSE("explore --help ./t"), 0);
	assert_int_equal(o.command, COMMAND_HELP);
}

static void test_parse__refuses(void **state)
{
	static const struct {
		const char *line;
		const char *message;	/* part of it */
	} row[] = {
		{ "explore", "no program given" },
		{ "explore run", "no program given" },
		{ "explore --bogus x", "'--bogus' is unknown" },
		{ "explore -Zx", "'-Z' is unknown" },
		{ "explore --seed", "'--seed' needs a value" },
		{ "explore -b", "'-b' needs a value" },
		{ "explore --json=1 x", "'--json' takes no value" },
		{ "explore --json x", "means nothing to 'explore run'" },
		{ "explore replay --jobs 2", "means nothing to" },
		{ "explore record --budget 2 x", "means nothing to" },
		{ "explore replay a b", "unexpected argument 'b'" },
		{ "explore doctor x", "unexpected argument 'x'" },
		{ "explore help bogus", "no command 'bogus'" },
		{ "explore -q replay x", "must come before all options" },
		{ "explore --jobs 0 x", "--jobs: a number from 1 to" },
		{ "explore --jobs 1x x", "bad value '1x'" },
		{ "explore --seed 18446744073709551616 x", "bad value" },
		{ "explore --wake none x", "'any' or 'fifo'" },
		{ "explore --run-timeout 0 x", "bad value '0'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct options o;
		struct errbuf err;

		assert_int_not_equal(parse(&o, row[i].line, &err), 0);
		if (!strstr(err.text, row[i].message))
			fail_msg("'%s': '%s'", row[i].line, err.text);
	}
}

static void test_parse_budget__knows_runs_and_times(void **state)
{
	static const struct {
		const char *text;
		uint64_t runs, time_ns;
	} row[] = {
		{ "1", 1, 0 },
		{ "1000000", 1000000, 0 },
		{ "9223372036854775807", INT64_MAX, 0 },
		{ "30s", 0, 30000000000ull },
		{ "5m", 0, 300000000000ull },
		{ "2h", 0, 7200000000000ull },
		{ "1.5s", 0, 1500000000ull },
		{ "250ms", 0, 250000000ull },
		{ "1d", 0, 86400000000000ull },
	};
	struct errbuf err = ERRBUF_INIT;
	struct budget b;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(options_parse_budget(row[i].text, &b, &err),
				 0);
		assert_int_equal(b.runs, row[i].runs);
		assert_int_equal(b.time_ns, row[i].time_ns);
	}
	assert_string_equal(err.text, "");
}

static void test_parse_budget__refuses(void **state)
{
	static const char *const row[] = {
		"", " ", "0", "-1", "+1", " 1", "1 ", "0s", "0.0s", "-3s",
		"s", ".5s", "1.s", "1e9", "1x", "3ss", "inf", "nans", "0x10",
		"10000000000h", "99999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct errbuf err = ERRBUF_INIT;
		struct budget b;

		if (!options_parse_budget(row[i], &b, &err))
			fail_msg("'%s' was taken", row[i]);
		assert_non_null(strstr(err.text, "bad budget"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse__fills_in_defaults),
		cmocka_unit_test(test_parse__takes_every_option),
		cmocka_unit_test(test_parse__stops_at_the_program),
		cmocka_unit_test(test_parse__knows_the_commands),
		cmocka_unit_test(test_parse__explains_what_is_asked_for),
		cmocka_unit_test(test_parse__refuses),
		cmocka_unit_test(test_parse_budget__knows_runs_and_times),
		cmocka_unit_test(test_parse_budget__refuses),
	};

	return cmocka_run_group_tests_name("explorer_options", tests, NULL,
					   NULL);
}
