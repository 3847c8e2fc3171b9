/* SPDX-License-Identifier: MIT */
/*
 * test_trace_roundtrip.c - what is written is read back, and damage is seen.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "recorder/format.h"
#include "recorder/internal.h"
#include "recorder/bytes.h"
#include "replayer/internal.h"
#include "trace_sample.h"

static char dir[64];
static const char *const files[] = {
	"trace.json", "decisions", "inputs", "values",
};
#define NR_FILES (sizeof(files) / sizeof(*files))

static int setup(void **state)
{
	(void)state;
	/* Thousands of small files: in memory, where there is such a place. */
	strcpy(dir, "/dev/shm/explore-test-XXXXXX");
	if (mkdtemp(dir))
		return 0;
	strcpy(dir, "/tmp/explore-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	sample_remove(dir);
	return 0;
}

static char *write_sample(uint64_t nr_events, uint64_t input_bytes)
{
	struct errbuf err = ERRBUF_INIT;
	struct trace t;
	char *path = NULL;

	sample_trace(&t, nr_events, input_bytes);
	assert_int_equal(trace_write(&t, dir, "test", &path, &err), 0);
	assert_string_equal(err.text, "");
	trace_release(&t);
	return path;
}

static void assert_lists_equal(char **a, char **b)
{
	assert_true(!a == !b);
	if (!a)
		return;
	for (; *a && *b; a++, b++)
		assert_string_equal(*a, *b);
	assert_true(!*a && !*b);
}

static void assert_traces_equal(const struct trace *a, const struct trace *b)
{
	assert_string_equal(a->tool_version, b->tool_version);
	assert_string_equal(a->program, b->program);
	assert_lists_equal(a->argv, b->argv);
	assert_lists_equal(a->env, b->env);
	assert_lists_equal(a->ok_exit, b->ok_exit);
	assert_string_equal(a->cwd, b->cwd);
	assert_true(!a->stdin_path == !b->stdin_path);
	if (a->stdin_path)
		assert_string_equal(a->stdin_path, b->stdin_path);
	assert_string_equal(a->strategy, b->strategy);
	assert_true(a->seed == b->seed && a->run == b->run);
	assert_memory_equal(&a->config, &b->config, sizeof(a->config));
	assert_memory_equal(&a->verdict, &b->verdict, sizeof(a->verdict));
	assert_true(a->digest == b->digest);
	assert_int_equal(a->nr_tasks, b->nr_tasks);
	assert_true(a->nr_preemptions == b->nr_preemptions);
	assert_true(a->nr_switches == b->nr_switches);
	assert_memory_equal(a->nr_ops, b->nr_ops, sizeof(a->nr_ops));
	assert_int_equal(a->has_reproduced, b->has_reproduced);
	assert_int_equal(a->nr_modules, b->nr_modules);
	for (uint32_t i = 0; i < a->nr_modules; i++) {
		assert_string_equal(a->module[i].path, b->module[i].path);
		assert_string_equal(a->module[i].build_id,
				    b->module[i].build_id);
		assert_true(a->module[i].start == b->module[i].start);
		assert_true(a->module[i].end == b->module[i].end);
		assert_true(a->module[i].bias == b->module[i].bias);
		assert_true(a->module[i].is_watched ==
			    b->module[i].is_watched);
	}
	assert_int_equal(a->nr_live_sites, b->nr_live_sites);
	for (uint32_t i = 0; i < a->nr_live_sites; i++)
		assert_true(a->live_site[i] == b->live_site[i]);
	assert_int_equal(a->nr_sites, b->nr_sites);
	assert_int_equal(!a->site, !b->site);
	for (uint32_t i = 0; i < a->nr_sites; i++) {
		assert_true(a->site[i].addr == b->site[i].addr);
		assert_int_equal(a->site[i].state, b->site[i].state);
	}
	assert_true(a->nr_events == b->nr_events);
	assert_true(a->input_bytes == b->input_bytes);
	assert_int_equal(a->nr_objects, b->nr_objects);
	for (uint32_t i = 0; i < a->nr_objects; i++) {
		assert_true(a->object[i].addr == b->object[i].addr);
		assert_true(a->object[i].first_pc == b->object[i].first_pc);
		assert_int_equal(a->object[i].class, b->object[i].class);
	}
	if (a->nr_events)
		assert_memory_equal(a->event, b->event,
				    a->nr_events * sizeof(*a->event));
	if (a->input_bytes)
		assert_memory_equal(a->input, b->input, a->input_bytes);
	assert_true(a->nr_values == b->nr_values);
	if (a->nr_values)
		assert_memory_equal(a->value, b->value,
				    a->nr_values * sizeof(*a->value));
}

static void round_trip(uint64_t nr_events, uint64_t input_bytes)
{
	struct errbuf err = ERRBUF_INIT;
	char *path = write_sample(nr_events, input_bytes);
	struct trace wanted, got;

	sample_trace(&wanted, nr_events, input_bytes);
	trace_init(&got);
	assert_int_equal(trace_read(&got, path, &err), 0);
	assert_string_equal(err.text, "");
	assert_traces_equal(&wanted, &got);
	trace_release(&wanted);
	trace_release(&got);
	free(path);
}

static void test_read__gives_what_was_written(void **state)
{
	(void)state;
	round_trip(4, 10);
	round_trip(0, 0);
	round_trip(1, 1);
	round_trip(1000, 100000);
	round_trip(200000, 3);
}

static void test_read__keeps_the_absence_of_optional_parts(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	struct trace bare, got;
	char *path = NULL;

	(void)state;
	trace_init(&bare);
	assert_int_equal(trace_write(&bare, dir, "bare", &path, &err), 0);
	trace_init(&got);
	assert_int_equal(trace_read(&got, path, &err), 0);
	assert_null(got.stdin_path);
	assert_null(got.ok_exit);
	assert_null(got.object);
	assert_null(got.value);
	assert_string_equal(got.program, "");
	assert_int_equal(got.nr_modules, 0);
	assert_int_equal(got.has_reproduced, 0);
	trace_release(&got);
	free(path);
}

static void test_write__gives_equal_bytes_for_equal_traces(void **state)
{
	char *a = write_sample(50, 50);
	char *b = write_sample(50, 50);

	(void)state;
	assert_string_not_equal(a, b);
	for (size_t i = 0; i < NR_FILES; i++) {
		char path[256];
		size_t nr_a, nr_b;
		uint8_t *data_a, *data_b;

		snprintf(path, sizeof(path), "%s/%s", a, files[i]);
		data_a = sample_slurp(path, &nr_a);
		snprintf(path, sizeof(path), "%s/%s", b, files[i]);
		data_b = sample_slurp(path, &nr_b);
		assert_non_null(data_a);
		assert_non_null(data_b);
		assert_int_equal(nr_a, nr_b);
		assert_memory_equal(data_a, data_b, nr_a);
		free(data_a);
		free(data_b);
	}
	free(a);
	free(b);
}

/* ---------------------------------------------------------------- damage */

static void expect_corrupt(const char *trace, const char *file, size_t at)
{
	struct errbuf err = ERRBUF_INIT;
	struct trace t;
	int ret;

	trace_init(&t);
	ret = trace_read(&t, trace, &err);
	if (ret != TRACE_E_CORRUPT)
		fail_msg("%s damaged at %zu: trace_read gives %d (%s)", file,
			 at, ret, err.text);
	assert_string_not_equal(err.text, "");
	/* An error leaves nothing behind. */
	assert_null(t.program);
	assert_null(t.event);
}

/* trace.json is large: one bit of each byte. Of the binary parts, all. */
static void flip_bits(const char *trace, const char *file, size_t step)
{
	char path[256];
	size_t bytes;
	uint8_t *data;

	snprintf(path, sizeof(path), "%s/%s", trace, file);
	data = sample_slurp(path, &bytes);
	assert_non_null(data);
	for (size_t bit = 0; bit < bytes * 8; bit += step) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		sample_spill(path, data, bytes);
		expect_corrupt(trace, file, bit);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	sample_spill(path, data, bytes);
	free(data);
}

static void test_read__sees_every_flipped_bit(void **state)
{
	char *trace = write_sample(6, 12);

	(void)state;
	flip_bits(trace, "trace.json", 7);
	flip_bits(trace, "decisions", 1);
	flip_bits(trace, "inputs", 1);
	flip_bits(trace, "values", 1);
	free(trace);
}

static void test_read__sees_truncation_at_every_length(void **state)
{
	char *trace = write_sample(6, 12);

	(void)state;
	for (size_t i = 0; i < NR_FILES; i++) {
		char path[256];
		size_t bytes;
		uint8_t *data;

		snprintf(path, sizeof(path), "%s/%s", trace, files[i]);
		data = sample_slurp(path, &bytes);
		for (size_t n = 0; n < bytes; n++) {
			sample_spill(path, data, n);
			expect_corrupt(trace, files[i], n);
		}
		data[bytes] = 0;
		sample_spill(path, data, bytes + 1);
		expect_corrupt(trace, files[i], bytes + 1);
		unlink(path);
		expect_corrupt(trace, files[i], 0);
		sample_spill(path, data, bytes);
		free(data);
	}
	free(trace);
}

/* A sound part of another trace of the same size is still the wrong one. */
static void test_read__sees_a_part_of_another_trace(void **state)
{
	char *a = write_sample(6, 12);
	char *b = write_sample(7, 13);

	(void)state;
	for (size_t i = 1; i < NR_FILES; i++) {
		char path[256];
		size_t nr_a, nr_b;
		uint8_t *mine, *other;

		snprintf(path, sizeof(path), "%s/%s", b, files[i]);
		other = sample_slurp(path, &nr_b);
		snprintf(path, sizeof(path), "%s/%s", a, files[i]);
		mine = sample_slurp(path, &nr_a);
		sample_spill(path, other, nr_b);
		expect_corrupt(a, files[i], 0);
		sample_spill(path, mine, nr_a);
		free(mine);
		free(other);
	}
	free(a);
	free(b);
}

/* Before version 2 events had no ticks, and one flag less. */
static void test_decode__reads_version_1(void **state)
{
	struct recorder_bytes now = { 0 }, then = { 0 };
	struct trace t, old;
	size_t ticks;

	(void)state;
	sample_trace(&t, 50, 0);
	t.nr_objects = 0;
	for (uint64_t i = 0; i < t.nr_events; i++)
		t.event[i].ticks = 0;
	t.event[7].kind = EXPLORE_OP_SPIN;
	assert_int_equal(recorder__encode_decisions(&t, &now), 0);
	/* Behind the column: digests, the number of objects, 0. */
	ticks = now.nr - 1 - 4 * t.nr_events - t.nr_events;
	recorder__append(&then, now.data, ticks);
	recorder__append(&then, now.data + ticks + t.nr_events,
			 now.nr - ticks - t.nr_events);
	sample_trace(&old, 50, 0);
	old.nr_objects = 0;
	free(old.object);
	old.object = NULL;
	assert_int_equal(replayer__decode_decisions(&old, 1, then.data,
						    then.nr), 0);
	for (uint64_t i = 0; i < t.nr_events; i++) {
		if (i == 7)
			t.event[i].flags |= SCHED_EVENT_YIELDS;
		old.event[i].ticks = 0;	/* not touched by version 1 */
		assert_memory_equal(&old.event[i], &t.event[i],
				    sizeof(t.event[i]));
	}
	free(now.data);
	free(then.data);
	trace_release(&old);
	trace_release(&t);
}

static void test_read__names_a_newer_version(void **state)
{
	char *trace = write_sample(2, 2);
	struct errbuf err = ERRBUF_INIT;
	struct trace t;
	char path[256], text[8192], tail[64];
	size_t bytes;
	uint8_t *data;
	char *at;

	(void)state;
	snprintf(path, sizeof(path), "%s/trace.json", trace);
	data = sample_slurp(path, &bytes);
	data[bytes] = '\0';
	snprintf(text, sizeof(text), "%s", (char *)data);
	at = strstr(text, "\"version\":\t3");
	assert_non_null(at);
	at[strlen("\"version\":\t")] = '7';
	at = strstr(text, ",\n\t\"checksum\"");
	assert_non_null(at);
	snprintf(tail, sizeof(tail), FORMAT_JSON_TAIL,
		 format_checksum(FORMAT_CHECKSUM_INIT, text,
				 (size_t)(at - text)));
	strcpy(at, tail);
	sample_spill(path, text, strlen(text));
	trace_init(&t);
	assert_int_equal(trace_read(&t, trace, &err), TRACE_E_VERSION);
	assert_non_null(strstr(err.text, "was written by a newer explore "
			       "(format 7, this one reads up to 3)"));
	free(data);
	free(trace);
}

static void test_read__names_a_path_that_is_no_trace(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	struct trace t;

	(void)state;
	trace_init(&t);
	assert_int_equal(trace_read(&t, "/nowhere/at/all", &err), -ENOENT);
	assert_non_null(strstr(err.text,
			       "cannot open trace '/nowhere/at/all'"));
	err.text[0] = '\0';
	assert_int_equal(trace_read(&t, "/proc/self/exe", &err), -ENOTDIR);
	err.text[0] = '\0';
	assert_int_equal(trace_read(&t, dir, &err), TRACE_E_CORRUPT);
	assert_non_null(strstr(err.text, "trace.json"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_read__gives_what_was_written, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_read__keeps_the_absence_of_optional_parts,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_write__gives_equal_bytes_for_equal_traces,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_read__sees_every_flipped_bit, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_read__sees_truncation_at_every_length,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_read__sees_a_part_of_another_trace,
			setup, teardown),
		cmocka_unit_test(test_decode__reads_version_1),
		cmocka_unit_test_setup_teardown(
			test_read__names_a_newer_version, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_read__names_a_path_that_is_no_trace,
			setup, teardown),
	};

	return cmocka_run_group_tests_name("trace_roundtrip", tests, NULL,
					   NULL);
}
