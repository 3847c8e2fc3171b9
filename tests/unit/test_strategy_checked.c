/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_checked.c - plug-ins that are not what they should be.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <cmocka.h>

#include "strategies/strategies.h"
#include "strategies/replay.h"

static struct explore_decision answer;

static size_t good_bytes(const struct explore_setup *setup)
{
	(void)setup;
	return 1;
}

static void good_init(void *state, const struct explore_setup *setup)
{
	(void)state;
	(void)setup;
}

static int good_begin(void *state, uint64_t run)
{
	(void)state;
	(void)run;
	return 1;
}

static struct explore_decision good_pick(void *state,
					 const struct explore_point *point)
{
	(void)state;
	(void)point;
	return answer;
}

static struct explore_param params[EXPLORE_MAX_PARAMS + 2];

static struct explore_strategy good(void)
{
	for (size_t i = 0; i < EXPLORE_MAX_PARAMS + 2; i++)
		params[i] = (struct explore_param){ 0 };
	params[0] = (struct explore_param){ "a", "", 2, 1, 3 };
	params[1] = (struct explore_param){ "b-2", "", 0, 0, 0 };
	return (struct explore_strategy){
		.abi = EXPLORE_STRATEGY_ABI,
		.name = "My_own-1",
		.summary = "",
		.param = params,
		.state_bytes = good_bytes,
		.init = good_init,
		.begin = good_begin,
		.pick = good_pick,
	};
}

static void assert_bad(const struct explore_strategy *s, const char *text)
{
	char got[STRATEGIES_TEXT_BYTES];

	assert_int_equal(strategies_check_abi(s, got, sizeof(got)), -EINVAL);
	assert_string_equal(got, text);
}

static void test_check_abi__accepts_a_good_one(void **state)
{
	struct explore_strategy s = good();
	char text[STRATEGIES_TEXT_BYTES];

	(void)state;
	assert_int_equal(strategies_check_abi(&s, text, sizeof(text)), 0);
	s.param = NULL;
	s.flags = EXPLORE_STRATEGY_F_SEQUENTIAL;
	assert_int_equal(strategies_check_abi(&s, text, sizeof(text)), 0);
}

static void test_check_abi__accepts_all_that_are_built_in(void **state)
{
	char text[STRATEGIES_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; strategies_all()[i]; i++)
		assert_int_equal(strategies_check_abi(strategies_all()[i],
						      text, sizeof(text)), 0);
	assert_int_equal(strategies_check_abi(&strategy_replay, text,
					      sizeof(text)), 0);
}

/* Nothing else may be looked at: it may lie elsewhere in another ABI. */
static void test_check_abi__looks_at_the_number_first(void **state)
{
	struct explore_strategy s = { .abi = 41, .name = (const char *)1 };

	(void)state;
	assert_bad(&s, "it was built for strategy ABI 41, this is 1");
}

static void test_check_abi__wants_every_slot(void **state)
{
	struct explore_strategy s = good();

	(void)state;
	s.name = NULL;
	assert_bad(&s, "it has no 'name'");
	s.name = "";
	assert_bad(&s, "it has no 'name'");
	s.name = "a:b";
	assert_bad(&s, "its name holds other characters than letters, "
		   "digits, '-' and '_'");
	s = good();
	s.summary = NULL;
	assert_bad(&s, "it has no 'summary'");
	s = good();
	s.state_bytes = NULL;
	assert_bad(&s, "it has no 'state_bytes'");
	s = good();
	s.init = NULL;
	assert_bad(&s, "it has no 'init'");
	s = good();
	s.begin = NULL;
	assert_bad(&s, "it has no 'begin'");
	s = good();
	s.pick = NULL;
	assert_bad(&s, "it has no 'pick'");
	s = good();
	s.flags = 1u << 31;
	assert_bad(&s, "it has unknown flags");
}

static void test_check_abi__wants_sane_parameters(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e",
					     "f", "g", "h", "i" };
	struct explore_strategy s = good();

	(void)state;
	params[0].preset = 4;
	assert_bad(&s, "its parameter 'a' has a preset out of its range");
	params[0].preset = 0;
	assert_bad(&s, "its parameter 'a' has a preset out of its range");
	s = good();
	params[1].name = "a";
	assert_bad(&s, "its parameter 'a' is listed twice");
	params[1].name = "x=y";
	assert_bad(&s, "its parameter 'x=y' has a name that cannot be typed");
	s = good();
	for (size_t i = 0; i < EXPLORE_MAX_PARAMS + 1; i++)
		params[i] = (struct explore_param){ .name = names[i] };
	assert_bad(&s, "it has more than 8 parameters");
}

static bool is_legal(uint32_t nr, uint32_t flags)
{
	struct explore_strategy s = good();
	struct explore_point point = { .kind = EXPLORE_POINT_VALUE, .nr = nr };
	bool is;

	s.flags = flags;
	strategy_checked_pick(&s, NULL, &point, &is);
	return is;
}

static void test_checked_pick__tells_legal_from_illegal(void **state)
{
	(void)state;
	answer = (struct explore_decision){ .index = 2 };
	assert_true(is_legal(3, 0));
	assert_false(is_legal(2, 0));
	answer.ticks = 100;
	assert_false(is_legal(3, 0));
	assert_true(is_legal(3, EXPLORE_STRATEGY_F_TICKS));
	answer.reserved = 1;
	assert_false(is_legal(3, EXPLORE_STRATEGY_F_TICKS));
	answer = (struct explore_decision){ .index = EXPLORE_PICK_DIVERGED };
	assert_false(is_legal(3, 0));
}

static void assert_explained(uint32_t nr, const char *text)
{
	struct explore_strategy s = good();
	struct explore_point point = { .step = 12, .nr = nr };
	char got[STRATEGIES_TEXT_BYTES];

	strategies_explain_pick(&s, &point, answer, got, sizeof(got));
	assert_string_equal(got, text);
}

static void test_explain_pick__names_strategy_answer_and_range(void **state)
{
	(void)state;
	answer = (struct explore_decision){ .index = 5 };
	assert_explained(3, "strategy 'My_own-1' answered 5 at step 12, where "
			 "0 to 2 are possible");
	assert_explained(1, "strategy 'My_own-1' answered 5 at step 12, where "
			 "only 0 is possible");
	answer.reserved = 1;
	assert_explained(6, "strategy 'My_own-1' left a reserved field other "
			 "than 0 at step 12");
	answer.reserved = 0;
	answer.ticks = 1;
	assert_explained(6, "strategy 'My_own-1' gave ticks without "
			 "EXPLORE_STRATEGY_F_TICKS at step 12");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_abi__accepts_a_good_one),
		cmocka_unit_test(test_check_abi__accepts_all_that_are_built_in),
		cmocka_unit_test(test_check_abi__looks_at_the_number_first),
		cmocka_unit_test(test_check_abi__wants_every_slot),
		cmocka_unit_test(test_check_abi__wants_sane_parameters),
		cmocka_unit_test(test_checked_pick__tells_legal_from_illegal),
		cmocka_unit_test(
			test_explain_pick__names_strategy_answer_and_range),
	};

	return cmocka_run_group_tests_name("strategy_checked", tests, NULL,
					   NULL);
}
