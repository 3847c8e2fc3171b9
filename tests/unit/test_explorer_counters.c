/* SPDX-License-Identifier: MIT */
/*
 * test_explorer_counters.c - which event counts conditional branches where.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "explorer/target/counters.h"

static uint64_t event_of(const char *vendor, unsigned int family,
			 unsigned int model)
{
	struct control_clock clock;
	bool is_known = counters_event(vendor, family, model, &clock);

	assert_int_equal(clock.kind, CONTROL_CLOCK_HPC);
	assert_int_equal(is_known, clock.event != 0);
	assert_true(!is_known || (clock.margin && clock.skid));
	return clock.event;
}

static void test_event__is_that_of_the_processor(void **state)
{
	(void)state;
	assert_int_equal(event_of("GenuineIntel", 6, 0x1a), 0x1c4); /* Nehalem */
	assert_int_equal(event_of("GenuineIntel", 6, 0x55), 0x1c4); /* Skylake-X */
	assert_int_equal(event_of("GenuineIntel", 6, 0xa5), 0x1c4); /* Comet */
	assert_int_equal(event_of("GenuineIntel", 6, 0x6a), 0x11c4); /* Ice, X */
	assert_int_equal(event_of("GenuineIntel", 6, 0x8f), 0x11c4); /* Sapphire */
	assert_int_equal(event_of("AuthenticAMD", 0x17, 0x31), 0xd1); /* Zen 2 */
	assert_int_equal(event_of("AuthenticAMD", 0x19, 0x21), 0xd1); /* Zen 3 */
	assert_int_equal(event_of("AuthenticAMD", 0x1a, 0x44), 0xd1); /* Zen 5 */
}

/* Better none than one that counts something else. */
static void test_event__is_none_for_others(void **state)
{
	(void)state;
	assert_int_equal(event_of("GenuineIntel", 6, 0x37), 0);	/* an Atom */
	assert_int_equal(event_of("GenuineIntel", 15, 0x04), 0);
	assert_int_equal(event_of("AuthenticAMD", 0x15, 0x02), 0);
	assert_int_equal(event_of("CentaurHauls", 6, 0x1a), 0);
}

/* Zen's signals come later by far. */
static void test_event__has_room_for_skids(void **state)
{
	struct control_clock intel, zen;

	(void)state;
	counters_event("GenuineIntel", 6, 0x55, &intel);
	counters_event("AuthenticAMD", 0x19, 0x21, &zen);
	assert_true(zen.skid > intel.skid);
	assert_true(intel.skid >= intel.margin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event__is_that_of_the_processor),
		cmocka_unit_test(test_event__is_none_for_others),
		cmocka_unit_test(test_event__has_room_for_skids),
	};

	return cmocka_run_group_tests_name("explorer_counters", tests, NULL,
					   NULL);
}
