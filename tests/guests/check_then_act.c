/* SPDX-License-Identifier: MIT */
/*
 * check_then_act.c - a look at a file by its name, and what is done about it,
 * are two steps: open, mkdir, unlink; or two looks at what another renames
 */
#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

static char folder[] = "/tmp/check_then_actXXXXXX", path[64], other[64];
static int has_failed;	/* two tasks never set it in one run */

static void make_file(void)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);

	if (fd < 0)
		has_failed = 1;
	else
		close(fd);
}

static void *open_new(void *arg)
{
	if (access(path, F_OK))
		make_file();
	return arg;
}

static void *make_folder(void *arg)
{
	struct stat st;

	if (stat(path, &st) && mkdir(path, 0700))
		has_failed = 1;
	return arg;
}

static void *remove_old(void *arg)
{
	if (!access(path, F_OK) && unlink(path))
		has_failed = 1;
	return arg;
}

/* The first task renames it, the other finds it under no name. */
static void *rename_or_look(void *arg)
{
	if (!arg)
		rename(path, other);
	else if (access(other, F_OK) && access(path, F_OK))
		has_failed = 1;
	return arg;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "open";

	assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	if (!strcmp(what, "open")) {
		guest_run(2, open_new);
	} else if (!strcmp(what, "mkdir")) {
		guest_run(2, make_folder);
	} else {
		make_file();
		guest_run(2, strcmp(what, "unlink") ? rename_or_look
						    : remove_old);
	}
	remove(path);
	remove(other);
	remove(folder);
	assert(!has_failed);
	return guest_ok();
}
