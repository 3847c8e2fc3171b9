/* SPDX-License-Identifier: MIT */
/*
 * test_report_dump.c - every event of a trace, as text and as JSON.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "explorer/report/report.h"
#include "explorer/report/dump.h"
#include "trace_sample.h"

static char *dump(void (*print)(FILE *, const struct trace *,
				struct symbols *), const struct trace *t)
{
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	print(f, t, NULL);
	fclose(f);
	return text;
}

/* A small run: a creation, a lock, a wake-up choice, a number, a timeout. */
static void make_run(struct trace *t)
{
	sample_trace(t, 5, 0);
	memset(t->nr_ops, 0, sizeof(t->nr_ops));
	memset(t->event, 0, 5 * sizeof(*t->event));
	for (int i = 0; i < 5; i++) {
		t->event[i].nr = 3;
		t->event[i].now_ns = 1000000050 + (uint64_t)i;
	}
	t->nr_ops[EXPLORE_OP_THREAD_CREATE] = 2;
	t->nr_tasks = 3;
	t->event[0].kind = EXPLORE_OP_THREAD_CREATE;
	t->event[1].kind = EXPLORE_OP_MUTEX_LOCK;
	t->event[1].task = t->event[1].chosen = 1;
	t->event[1].object = 1;
	t->event[1].flags = SCHED_EVENT_SWITCH | SCHED_EVENT_PREEMPTION;
	t->event[1].pc = 0x555555555010;
	t->event[2].point = EXPLORE_POINT_WAKE;
	t->event[2].kind = EXPLORE_OP_WAKE_ORDER;
	t->event[2].chosen = 2;
	t->event[3].point = EXPLORE_POINT_VALUE;
	t->event[3].kind = EXPLORE_OP_CHOOSE;
	t->event[3].chosen = 2;
	t->event[4].kind = EXPLORE_OP_THREAD_JOIN;
	t->event[4].object = 2;
	t->event[4].flags = SCHED_EVENT_TIMEOUT;
}

static void expect_line(const char *text, const char *const *words)
{
	const char *line = text;

	for (; line && *line; line = strchr(line, '\n')) {
		const char *at, *end;

		line += *line == '\n';
		end = strchrnul(line, '\n');
		at = line;
		for (int i = 0; words[i] && at; i++) {
			at = strstr(at, words[i]);
			if (!at || at >= end)
				break;
			at += strlen(words[i]);
			if (!words[i + 1])
				return;
		}
	}
	fail_msg("no line with '%s' '%s' ... in:\n%s", words[0], words[1],
		 text);
}

#define LINE(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_dump__has_a_line_for_each_event(void **state)
{
	struct trace t;
	char *text;

	(void)state;
	make_run(&t);
	text = dump(report_dump, &t);
	expect_line(text, LINE("# command", "./test --x="));
	expect_line(text, LINE("# strategy", "pct:depth=3, seed 9223372036854"
			       "775809, run 41"));
	expect_line(text, LINE("# verdict", "deadlock"));
	expect_line(text, LINE(" 0 ", "1.000000050 ", "T0", "thread-create",
			       "T1"));
	expect_line(text, LINE("! ", " 1 ", "T1", "mutex-lock", "mutex#1",
			       "0x555555555010"));
	expect_line(text, LINE(" 2 ", "wake-order", "-> T2"));
	expect_line(text, LINE(" 3 ", "choose", "2 of 0..2"));
	expect_line(text, LINE(" 4 ", "thread-join", "T2", "(timeout)"));
	free(text);
	trace_release(&t);
}

static const char *string(const cJSON *o, const char *name)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItem(o, name));

	return s ? s : "(none)";
}

static int number(const cJSON *o, const char *name)
{
	const cJSON *item = cJSON_GetObjectItem(o, name);

	return cJSON_IsNumber(item) ? item->valueint : -1;
}

static void check_events(const cJSON *events)
{
	const cJSON *e;

	assert_int_equal(cJSON_GetArraySize(events), 5);
	e = cJSON_GetArrayItem(events, 1);
	assert_int_equal(number(e, "step"), 1);
	assert_int_equal(number(e, "task"), 1);
	assert_string_equal(string(e, "op"), "mutex-lock");
	assert_int_equal(number(e, "object"), 1);
	assert_string_equal(string(e, "object_name"), "mutex#1");
	assert_string_equal(string(e, "pc"), "0x555555555010");
	assert_string_equal(string(e, "now_ns"), "1000000051");
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(e, "preemption")));
	assert_true(cJSON_IsFalse(cJSON_GetObjectItem(e, "timeout")));
	e = cJSON_GetArrayItem(events, 2);
	assert_string_equal(string(e, "point"), "wake");
	assert_int_equal(number(e, "chosen"), 2);
	assert_int_equal(number(e, "of"), 3);
	e = cJSON_GetArrayItem(events, 0);
	assert_string_equal(string(e, "object_name"), "T1");
}

static void test_dump_json__parses_and_has_it_all(void **state)
{
	struct trace t;
	char *text;
	cJSON *json;
	const cJSON *part;

	(void)state;
	make_run(&t);
	text = dump(report_dump_json, &t);
	json = cJSON_Parse(text);
	assert_non_null(json);
	check_events(cJSON_GetObjectItem(json, "events"));
	part = cJSON_GetObjectItem(json, "verdict");
	assert_string_equal(string(part, "kind"), "deadlock");
	assert_int_equal(number(part, "code"), -7);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(part,
				"cycle")), 2);
	part = cJSON_GetObjectItem(json, "run");
	assert_string_equal(string(part, "seed"), "9223372036854775809");
	assert_string_equal(string(part, "digest"), "0x123456789abcdef");
	cJSON_Delete(json);
	free(text);
	trace_release(&t);
}

static void test_dump__copes_with_an_empty_run(void **state)
{
	struct trace t;
	char *text;
	cJSON *json;

	(void)state;
	trace_init(&t);
	text = dump(report_dump, &t);
	expect_line(text, LINE("# events", "0 of 0 tasks"));
	free(text);
	text = dump(report_dump_json, &t);
	json = cJSON_Parse(text);
	assert_non_null(json);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json,
				"events")), 0);
	cJSON_Delete(json);
	free(text);
}

/* Fields that no real run has: nothing may be read past its end. */
static void test_dump__copes_with_nonsense(void **state)
{
	struct trace t;
	char *text;

	(void)state;
	sample_trace(&t, 50, 10);
	for (int i = 10; i < 50; i++)
		memset(&t.event[i], i * 37, sizeof(t.event[i]));
	t.verdict.nr_cycle = UINT32_MAX;
	text = dump(report_dump, &t);
	free(text);
	text = dump(report_dump_json, &t);
	free(text);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump__has_a_line_for_each_event),
		cmocka_unit_test(test_dump_json__parses_and_has_it_all),
		cmocka_unit_test(test_dump__copes_with_an_empty_run),
		cmocka_unit_test(test_dump__copes_with_nonsense),
	};

	return cmocka_run_group_tests_name("report_dump", tests, NULL, NULL);
}
