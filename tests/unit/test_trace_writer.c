/* SPDX-License-Identifier: MIT */
/*
 * test_trace_writer.c - where traces go, and what is left when they cannot.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace_sample.h"

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

static int write_in(const char *parent, const char *name, char **path,
		    struct errbuf *err)
{
	struct trace t;
	int ret;

	sample_trace(&t, 500, 5000);
	err->text[0] = '\0';
	*path = NULL;
	ret = trace_write(&t, parent, name, path, err);
	trace_release(&t);
	assert_true(!ret == !err->text[0]);
	assert_true(!ret == !!*path);
	return ret;
}

/* Entries, hidden ones included. */
static unsigned int count_entries(const char *path)
{
	DIR *d = opendir(path);
	unsigned int nr = 0;
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			nr++;
	closedir(d);
	return nr;
}

static void test_write__takes_the_lowest_free_number(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	char wanted[64], blocker[64];
	char *path;

	(void)state;
	snprintf(blocker, sizeof(blocker), "%s/test-1", dir);
	assert_int_equal(mkdir(blocker, 0700), 0);
	assert_int_equal(write_in(dir, "test", &path, &err), 0);
	snprintf(wanted, sizeof(wanted), "%s/test-0", dir);
	assert_string_equal(path, wanted);
	free(path);
	/* An empty directory of that name is somebody's, too. */
	assert_int_equal(write_in(dir, "test", &path, &err), 0);
	snprintf(wanted, sizeof(wanted), "%s/test-2", dir);
	assert_string_equal(path, wanted);
	free(path);
	assert_int_equal(count_entries(blocker), 0);
	assert_int_equal(count_entries(dir), 3);
}

static void test_write__makes_missing_parents(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	char parent[64], wanted[80];
	char *path;

	(void)state;
	snprintf(parent, sizeof(parent), "%s/a/b/", dir);
	assert_int_equal(write_in(parent, "test", &path, &err), 0);
	snprintf(wanted, sizeof(wanted), "%s/a/b/test-0", dir);
	assert_string_equal(path, wanted);
	assert_int_equal(count_entries(path), 4);
	free(path);
}

static void test_write__names_a_parent_that_is_a_file(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	char parent[64], below[80];
	char *path;

	(void)state;
	snprintf(parent, sizeof(parent), "%s/file", dir);
	sample_spill(parent, "x", 1);
	assert_int_equal(write_in(parent, "test", &path, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "cannot write trace in '"));
	assert_non_null(strstr(err.text, "Not a directory"));
	snprintf(below, sizeof(below), "%s/sub", parent);
	assert_int_equal(write_in(below, "test", &path, &err), -ENOTDIR);
	assert_int_equal(count_entries(dir), 1);
}

static void test_write__names_an_unwritable_parent(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	char *path;
	int ret;

	(void)state;
	/* Root may write anywhere, so be nobody for a moment. */
	assert_int_equal(chmod(dir, 0555), 0);
	if (!geteuid() && seteuid(65534))
		skip();
	ret = write_in(dir, "test", &path, &err);
	if (!getuid())
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(ret, -EACCES);
	assert_non_null(strstr(err.text, "Permission denied"));
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(count_entries(dir), 0);
}

static void test_write__refuses_names_that_leave_the_parent(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	char *path;

	(void)state;
	assert_int_equal(write_in(dir, "../x", &path, &err), -EINVAL);
	assert_int_equal(write_in(dir, "", &path, &err), -EINVAL);
	assert_int_equal(write_in("", "test", &path, &err), -EINVAL);
	assert_int_equal(count_entries(dir), 0);
}

static void check_name(const char *name, const char *expected)
{
	struct errbuf err = ERRBUF_INIT;
	char *path;

	assert_int_equal(write_in(dir, name, &path, &err), 0);
	assert_string_equal(strrchr(path, '/') + 1, expected);
	sample_remove(path);
	free(path);
}

static void test_write__makes_a_name_of_any_program(void **state)
{
	char name[251] = "", expected[300];

	(void)state;
	check_name(".hidden", "_hidden-0");
	check_name(".", "_-0");
	check_name("a b\n\x7f%s", "a b__%s-0");
	/* The 200th byte is inside of a character. */
	memset(name, 'n', 199);
	memset(name + 199, '\xc3', 1);
	memset(name + 200, '\xa4', 1);
	memset(name + 201, 'n', 49);
	snprintf(expected, sizeof(expected), "%.199s-0", name);
	check_name(name, expected);
	assert_int_equal(count_entries(dir), 0);
}

/* As a full disk, wherever tests run: the kernel refuses the next byte. */
static void test_write__leaves_nothing_when_files_may_not_grow(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	struct rlimit old, small;
	char parent[64];
	char *path;

	(void)state;
	snprintf(parent, sizeof(parent), "%s/new/parent", dir);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	for (rlim_t limit = 0; limit < 4000; limit += 37) {
		int ret;

		small.rlim_cur = limit;
		setrlimit(RLIMIT_FSIZE, &small);
		ret = write_in(parent, "test", &path, &err);
		setrlimit(RLIMIT_FSIZE, &old);
		if (!ret) {
			free(path);
			assert_int_equal(count_entries(parent), 1);
			assert_true(limit > 1000);
			return;
		}
		assert_int_equal(ret, -EFBIG);
		assert_non_null(strstr(err.text, "File too large"));
		assert_int_equal(count_entries(dir), 0);
	}
	fail_msg("the sample never fits");
}

static void test_write__leaves_nothing_on_a_full_disk(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	char parent[64], filler[80];
	static char block[4096];
	char *path;
	int ret, fd;

	(void)state;
	snprintf(parent, sizeof(parent), "%s/full", dir);
	assert_int_equal(mkdir(parent, 0700), 0);
	if (mount("none", parent, "tmpfs", 0, "size=64k"))
		skip();	/* needs CAP_SYS_ADMIN */
	snprintf(filler, sizeof(filler), "%s/filler", parent);
	fd = open(filler, O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	ret = write_in(parent, "test", &path, &err);
	free(path);
	assert_int_equal(count_entries(parent), 1);
	assert_int_equal(umount(parent), 0);
	assert_int_equal(ret, -ENOSPC);
	assert_non_null(strstr(err.text, "No space left on device"));
}

static void test_write__never_takes_over_an_old_temporary(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	char stale[96];
	char *path;

	(void)state;
	snprintf(stale, sizeof(stale), "%s/.tmp-%ld-0", dir, (long)getpid());
	assert_int_equal(mkdir(stale, 0700), 0);
	assert_int_equal(write_in(dir, "test", &path, &err), 0);
	assert_int_equal(count_entries(stale), 0);
	assert_int_equal(count_entries(dir), 2);
	free(path);
}

/* ---------------------------------------------------------- find_latest */

static void set_time(const char *path, time_t when)
{
	char command[256];

	snprintf(command, sizeof(command), "touch -d @%ld '%s'", (long)when,
		 path);
	assert_int_equal(system(command), 0);
}

static void test_find_latest__goes_by_time_then_name(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	char *path[12], *found = NULL;
	char json[128];

	(void)state;
	for (int i = 0; i < 12; i++) {
		assert_int_equal(write_in(dir, "test", &path[i], &err), 0);
		snprintf(json, sizeof(json), "%s/trace.json", path[i]);
		set_time(json, 1000000000);
	}
	assert_int_equal(trace_find_latest(dir, &found, &err), 0);
	assert_string_equal(found, path[11]);
	free(found);
	snprintf(json, sizeof(json), "%s/trace.json", path[3]);
	set_time(json, 1000000001);
	assert_int_equal(trace_find_latest(dir, &found, &err), 0);
	assert_string_equal(found, path[3]);
	free(found);
	for (int i = 0; i < 12; i++)
		free(path[i]);
}

static void test_find_latest__sees_whole_traces_only(void **state)
{
	struct errbuf err = ERRBUF_INIT;
	char *found = NULL;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/.tmp-1-0", dir);
	mkdir(path, 0700);
	strcat(path, "/trace.json");
	sample_spill(path, "{}", 2);
	snprintf(path, sizeof(path), "%s/empty", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/file", dir);
	sample_spill(path, "x", 1);
	assert_int_equal(trace_find_latest(dir, &found, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no trace in '"));
	err.text[0] = '\0';
	assert_int_equal(trace_find_latest("/nowhere", &found, &err), -ENOENT);
	assert_string_equal(err.text, "no trace in '/nowhere'");
	assert_null(found);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write__takes_the_lowest_free_number),
		TEST(test_write__makes_missing_parents),
		TEST(test_write__names_a_parent_that_is_a_file),
		TEST(test_write__names_an_unwritable_parent),
		TEST(test_write__refuses_names_that_leave_the_parent),
		TEST(test_write__makes_a_name_of_any_program),
		TEST(test_write__leaves_nothing_when_files_may_not_grow),
		TEST(test_write__leaves_nothing_on_a_full_disk),
		TEST(test_write__never_takes_over_an_old_temporary),
		TEST(test_find_latest__goes_by_time_then_name),
		TEST(test_find_latest__sees_whole_traces_only),
	};

	return cmocka_run_group_tests_name("trace_writer", tests, NULL, NULL);
}
