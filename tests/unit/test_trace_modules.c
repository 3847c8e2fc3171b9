/* SPDX-License-Identifier: MIT */
/*
 * test_trace_modules.c - build ids, changed binaries, names.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "trace_sample.h"
#include "recorder/names.h"

static char dir[] = "/tmp/explore-test-XXXXXX";

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/explore-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	sample_remove(dir);
	return 0;
}

/* A trace of one module, as it is on disk now. */
static void one_module(struct trace *t, const char *path)
{
	trace_init(t);
	t->nr_modules = 1;
	t->module = calloc(1, sizeof(*t->module));
	t->module[0].path = strdup(path);
	assert_int_equal(trace_build_id(path, &t->module[0].build_id), 0);
}

static void test_build_id__tells_contents_apart(void **state)
{
	char a[64], b[64];
	char *id_a = NULL, *id_b = NULL;

	(void)state;
	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
	sample_spill(a, "hello", 5);
	sample_spill(b, "hellp", 5);
	assert_int_equal(trace_build_id(a, &id_a), 0);
	assert_int_equal(trace_build_id(b, &id_b), 0);
	assert_int_equal(strncmp(id_a, "content:5-", 10), 0);
	assert_string_not_equal(id_a, id_b);
	free(id_a);
	free(id_b);
}

static void test_build_id__names_failures(void **state)
{
	char *id = NULL;

	(void)state;
	assert_int_equal(trace_build_id("/nowhere", &id), -ENOENT);
	assert_int_equal(trace_build_id("/tmp", &id), -EINVAL);
	assert_null(id);
}

/* libc of every distribution we know has a note. */
static void test_build_id__reads_the_note_of_libc(void **state)
{
	char *id = NULL;

	(void)state;
	if (access("/lib/x86_64-linux-gnu/libc.so.6", R_OK))
		skip();
	assert_int_equal(trace_build_id("/lib/x86_64-linux-gnu/libc.so.6",
					&id), 0);
	assert_int_equal(strspn(id, "0123456789abcdef"), strlen(id));
	assert_int_equal(strlen(id), 40);
	free(id);
}

static void test_check_modules__names_a_changed_file(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	struct trace t;
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/program", dir);
	sample_spill(path, "one", 3);
	one_module(&t, path);
	assert_int_equal(trace_check_modules(&t, &err), 0);
	assert_string_equal(err.text, "");
	sample_spill(path, "two", 3);
	assert_int_equal(trace_check_modules(&t, &err), -ESTALE);
	assert_non_null(strstr(err.text, path));
	assert_non_null(strstr(err.text, t.module[0].build_id));
	assert_non_null(strstr(err.text, "has changed since"));
	err.text[0] = '\0';
	unlink(path);
	assert_int_equal(trace_check_modules(&t, &err), -ESTALE);
	assert_non_null(strstr(err.text, "No such file"));
	trace_release(&t);
}

static void test_check_modules__skips_what_is_no_file(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	struct trace t;

	(void)state;
	sample_trace(&t, 0, 0);
	for (uint32_t i = 0; i < t.nr_modules; i++) {
		free(t.module[i].path);
		t.module[i].path = strdup("[vdso]");
	}
	assert_int_equal(trace_check_modules(&t, &err), 0);
	trace_release(&t);
}

static void test_names__are_distinct(void **state)
{
	(void)state;
	for (int i = 0; i < EXPLORE_OP_NR; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(trace_op_name(i), "unknown"))
				assert_string_not_equal(trace_op_name(i),
							trace_op_name(j));
	for (int i = 0; i < 64; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(trace_verdict_name(i), "unknown"))
				assert_string_not_equal(trace_verdict_name(i),
							trace_verdict_name(j));
	assert_string_equal(trace_op_name(EXPLORE_OP_MUTEX_LOCK),
			    "mutex-lock");
	assert_string_equal(trace_op_name(EXPLORE_OP_NR), "unknown");
	assert_string_equal(trace_verdict_name(CONTROL_VERDICT_DEADLOCK),
			    "deadlock");
	assert_string_equal(trace_verdict_name(9999), "unknown");
}

static void test_errbuf__cuts_off_and_appends(void **state)
{
	struct errbuf err = ERRBUF_INIT;

	(void)state;
	errbuf_addf(&err, "cannot open '%s'", "x");
	errbuf_addf(&err, ": %d", 7);
	assert_string_equal(err.text, "cannot open 'x': 7");
	for (int i = 0; i < 1000; i++)
		errbuf_addf(&err, "%s", "12345");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	errbuf_addf(NULL, "%s", "nobody listens");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_build_id__tells_contents_apart),
		TEST(test_build_id__names_failures),
		TEST(test_build_id__reads_the_note_of_libc),
		TEST(test_check_modules__names_a_changed_file),
		TEST(test_check_modules__skips_what_is_no_file),
		TEST(test_names__are_distinct),
		TEST(test_errbuf__cuts_off_and_appends),
	};

	return cmocka_run_group_tests_name("trace_modules", tests, NULL, NULL);
}
