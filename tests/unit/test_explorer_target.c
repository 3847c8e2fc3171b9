/* SPDX-License-Identifier: MIT */
/*
 * test_explorer_target.c - which programs can be explored. The whole list of
 * what is refused stands in tests/cli/bad-target; here is what a script cannot
 * make easily: random damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "explorer/target/target.h"

static char path[] = "/tmp/test-explorer-target-XXXXXX";
static uint8_t image[1 << 16];
static size_t image_bytes;

/* A program that is there for sure, and dynamically linked: ourselves. */
static int setup(void **state)
{
	FILE *f = fopen("/proc/self/exe", "rb");
	int fd = mkstemp(path);

	(void)state;
	if (!f || fd < 0)
		return -1;
	image_bytes = fread(image, 1, sizeof(image), f);
	fclose(f);
	return fchmod(fd, 0755) || close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_image(size_t bytes)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(image, 1, bytes, f), bytes);
	assert_int_equal(fclose(f), 0);
}

static int check(struct errbuf *err)
{
	char *argv[] = { path, (char *)"argument", NULL };
	struct target t;
	int rc;

	err->text[0] = '\0';
	rc = target_init(&t, argv, err);
	if (!rc) {
		assert_string_equal(t.argv[1], "argument");
		assert_string_equal(t.program, path);
		target_release(&t);
	} else {
		assert_true(rc < 0);
		assert_true(strlen(err->text) > 0);
	}
	assert_null(t.program);
	assert_null(t.argv);
	return rc;
}

static void test_init__takes_a_program(void **state)
{
	struct errbuf err;

	(void)state;
	write_image(image_bytes);
	assert_int_equal(check(&err), 0);
}

static void test_init__survives_every_length(void **state)
{
	struct errbuf err;

	(void)state;
	for (size_t bytes = 0; bytes < 64 + 56; bytes++) {
		write_image(bytes);
		assert_int_not_equal(check(&err), 0);
	}
}

/* Any byte of the headers wrong: refused or not, but always an answer. */
static void test_init__survives_damage(void **state)
{
	struct errbuf err;
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		size_t at;
		uint8_t saved;

		random = random * 1664525u + 1013904223u;
		at = 4 + (random >> 8) % 800;
		saved = image[at];
		image[at] = (uint8_t)(random >> 24);
		write_image(4096);
		check(&err);
		image[at] = saved;
	}
}

static void test_init__reads_a_script_line(void **state)
{
	static const struct {
		const char *line;
		const char *argv[5];
	} row[] = {
		{ "#!/bin/sh\n", { "/bin/sh", path, "argument" } },
		{ "#! /bin/sh -e\n", { "/bin/sh", "-e", path, "argument" } },
		{ "#!/bin/sh\t -e  -u \n",
		  { "/bin/sh", "-e  -u", path, "argument" } },
		{ "#!/usr/bin/env sh\n", { "sh", path, "argument" } },
		{ "#!/bin/sh", { "/bin/sh", path, "argument" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char *argv[] = { path, (char *)"argument", NULL };
		struct errbuf err = ERRBUF_INIT;
		FILE *f = fopen(path, "wb");
		struct target t;
		size_t n;

		fputs(row[i].line, f);
		fclose(f);
		if (target_init(&t, argv, &err))
			fail_msg("'%s': %s", row[i].line, err.text);
		for (n = 0; row[i].argv[n]; n++)
			assert_string_equal(t.argv[n], row[i].argv[n]);
		assert_null(t.argv[n]);
		target_release(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init__takes_a_program),
		cmocka_unit_test(test_init__survives_every_length),
		cmocka_unit_test(test_init__survives_damage),
		cmocka_unit_test(test_init__reads_a_script_line),
	};

	return cmocka_run_group_tests_name("explorer_target", tests, setup,
					   teardown);
}
