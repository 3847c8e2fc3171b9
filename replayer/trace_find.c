/* SPDX-License-Identifier: MIT */
/*
 * trace_find.c - the trace that was written last.
 */
#include "recorder/format.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct candidate {
	char name[NAME_MAX + 1];	/* "" none yet */
	struct timespec written;
};

/* A directory with a trace.json; hidden ones are still being written. */
static bool look_at(int parent_fd, const char *name, struct candidate *out)
{
	char inside[NAME_MAX + sizeof("/" FORMAT_JSON_FILE)];
	struct stat st;

	if (name[0] == '.')
		return false;
	snprintf(inside, sizeof(inside), "%s/%s", name, FORMAT_JSON_FILE);
	if (fstatat(parent_fd, inside, &st, 0) || !S_ISREG(st.st_mode))
		return false;
	snprintf(out->name, sizeof(out->name), "%s", name);
	out->written = st.st_mtim;
	return true;
}

static bool is_later(const struct candidate *a, const struct candidate *b)
{
	if (!b->name[0])
		return true;
	if (a->written.tv_sec != b->written.tv_sec)
		return a->written.tv_sec > b->written.tv_sec;
	if (a->written.tv_nsec != b->written.tv_nsec)
		return a->written.tv_nsec > b->written.tv_nsec;
	/* test-10 comes after test-9. */
	return strverscmp(a->name, b->name) > 0;
}

int trace_find_latest(const char *parent, char **path, struct errbuf *err)
{
	struct candidate best = { 0 }, here = { 0 };
	DIR *dir = opendir(parent);
	struct dirent *entry;
	int ret = -ENOENT;

	if (!dir && errno != ENOENT) {
		ret = -errno;
		errbuf_addf(err, "cannot open '%s': %s", parent,
			    strerror(-ret));
		return ret;
	}
	while (dir && (entry = readdir(dir)))
		if (look_at(dirfd(dir), entry->d_name, &here) &&
		    is_later(&here, &best))
			best = here;
	if (dir)
		closedir(dir);
	if (!best.name[0]) {
		errbuf_addf(err, "no trace in '%s'", parent);
		return ret;
	}
	if (asprintf(path, "%s%s%s", parent,
		     parent[strlen(parent) - 1] == '/' ? "" : "/",
		     best.name) < 0) {
		errbuf_addf(err, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	return 0;
}
