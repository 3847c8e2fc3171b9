/* SPDX-License-Identifier: MIT */
/*
 * shared_numbers.c - descriptors are numbers that all threads share, and so are
 * the working directory and the umask: close twice, close and dup, chdir, umask
 */
#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

static int fd, has_failed;

/* The second close meets whatever has the number by then. */
static void *close_twice(void *arg)
{
	uint64_t one = 1;
	int mine;

	if (!arg) {
		close(fd);
		close(fd);
		return NULL;
	}
	mine = eventfd(0, 0);
	if (write(mine, &one, sizeof(one)) != sizeof(one))
		has_failed = 1;
	close(mine);
	return NULL;
}

/* The lowest free number is not the one just closed, if another was faster. */
static void *close_and_dup(void *arg)
{
	int mine;

	if (arg) {
		mine = eventfd(0, 0);
		close(mine);
		return NULL;
	}
	close(fd);
	if (dup(STDIN_FILENO) != fd)
		has_failed = 1;
	return NULL;
}

static void *change_folder(void *arg)
{
	const char *to = arg ? "/" : "/proc";
	char at[64];

	if (chdir(to) || !getcwd(at, sizeof(at)) || strcmp(at, to))
		has_failed = 1;
	return NULL;
}

static void *change_mask(void *arg)
{
	mode_t was = umask(077);

	(void)arg;
	umask(was);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "close";

	umask(022);
	fd = dup(STDIN_FILENO);
	assert(fd >= 0);
	if (!strcmp(what, "close"))
		guest_run(2, close_twice);
	else if (!strcmp(what, "dup"))
		guest_run(2, close_and_dup);
	else if (!strcmp(what, "chdir"))
		guest_run(2, change_folder);
	else
		guest_run(2, change_mask);
	assert(!has_failed);
	assert(umask(022) == 022);
	return guest_ok();
}
