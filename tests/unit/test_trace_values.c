/* SPDX-License-Identifier: MIT */
/*
 * test_trace_values.c - the payload of `values`, sound and not. That bytes of
 * the file are seen to be damaged is test_trace_roundtrip.c's.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "recorder/internal.h"
#include "replayer/internal.h"
#include "trace_sample.h"

/* What reading `nr` values from the bytes gives. */
static int decode(uint64_t nr, const uint8_t *data, size_t bytes)
{
	struct trace t;
	int ret;

	trace_init(&t);
	t.nr_events = 10;
	sample_modules(&t);
	ret = replayer__decode_values(&t, nr, data, bytes);
	trace_release(&t);
	return ret;
}

#define DECODE(nr, ...) \
	decode(nr, (const uint8_t[]){ __VA_ARGS__ }, \
	       sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* Of each: has, step, size, module, offset, no block; then the bytes. */
static void test_decode__takes_a_sound_payload(void **state)
{
	(void)state;
	assert_int_equal(DECODE(1, 3, 9, 2, 0, 64, 0, 1, 2, 3, 4), 0);
	assert_int_equal(DECODE(2, 0, 0, 2, 1, 64, 0,
				1, 1, 1, 2, 64, 65, 16, 1, 0, 7), 0);
}

static void test_decode__refuses_steps_out_of_order(void **state)
{
	(void)state;
	assert_int_equal(DECODE(1, 0, 10, 2, 0, 64, 0), TRACE_E_CORRUPT);
	assert_int_equal(DECODE(2, 0, 3, 2, 0, 64, 0, 0, 0, 2, 0, 64, 0),
			 TRACE_E_CORRUPT);
	/* A difference that would wrap round. */
	assert_int_equal(DECODE(2, 0, 3, 2, 0, 64, 0, 0, 255, 255, 255, 255,
				255, 255, 255, 255, 255, 1, 2, 0, 64, 0),
			 TRACE_E_CORRUPT);
}

static void test_decode__refuses_what_cannot_be(void **state)
{
	(void)state;
	/* Unknown flags, a module that is not there, a block at 0. */
	assert_int_equal(DECODE(1, 4, 1, 2, 0, 64, 0), TRACE_E_CORRUPT);
	assert_int_equal(DECODE(1, 0, 1, 2, 3, 64, 0), TRACE_E_CORRUPT);
	assert_int_equal(DECODE(1, 0, 1, 2, 0, 64, 65, 1, 0, 0),
			 TRACE_E_CORRUPT);
}

static void test_decode__refuses_too_few_and_too_many_bytes(void **state)
{
	static const uint8_t sound[] = { 3, 9, 2, 0, 64, 0, 1, 2, 3, 4, 0 };
	const size_t bytes = sizeof(sound) - 1;

	(void)state;
	for (size_t n = 0; n < bytes; n++)
		assert_int_equal(decode(1, sound, n), TRACE_E_CORRUPT);
	assert_int_equal(decode(1, sound, bytes), 0);
	assert_int_equal(decode(1, sound, bytes + 1), TRACE_E_CORRUPT);
	assert_int_equal(decode(2, sound, bytes), TRACE_E_CORRUPT);
	assert_int_equal(decode(UINT64_MAX, sound, bytes), TRACE_E_CORRUPT);
}

static void test_encode__gives_what_decode_takes(void **state)
{
	struct recorder_bytes raw = { 0 };
	struct trace t;
	uint64_t nr;

	(void)state;
	sample_trace(&t, 20, 0);
	nr = t.nr_values;
	assert_int_equal(recorder__encode_values(&t, &raw), 0);
	free(t.value);
	t.value = NULL;
	t.nr_values = 0;
	assert_int_equal(replayer__decode_values(&t, nr, raw.data, raw.nr), 0);
	assert_true(t.nr_values == nr);
	assert_true(t.value[nr - 1].step == 19);
	assert_int_equal(t.value[3].has,
			 CONTROL_VALUE_BEFORE | CONTROL_VALUE_AFTER);
	assert_int_equal(t.value[3].after[8], 0xff);
	assert_int_equal(t.value[3].after[9], 0);
	free(raw.data);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode__takes_a_sound_payload),
		cmocka_unit_test(test_decode__refuses_steps_out_of_order),
		cmocka_unit_test(test_decode__refuses_what_cannot_be),
		cmocka_unit_test(test_decode__refuses_too_few_and_too_many_bytes),
		cmocka_unit_test(test_encode__gives_what_decode_takes),
	};

	return cmocka_run_group_tests_name("trace_values", tests, NULL, NULL);
}
