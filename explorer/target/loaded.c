/* SPDX-License-Identifier: MIT */
/*
 * loaded.c - code that runs load while they run, and that nobody watches.
 *
 * What is patched is decided before the first run. A plug-in that dlopen()
 * brings in later has its races to itself, and a search must not keep that
 * quiet.
 */
#include "explorer/target/loaded.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static bool is_system(const char *path)
{
	static const char *const prefixes[] = {
		"/usr/lib", "/lib", "/usr/share/", "[",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(path, prefixes[i], strlen(prefixes[i])))
			return true;
	return !path[0];
}

static void add(struct loaded *l, const char *path)
{
	uint32_t at = 0;

	while (at < l->nr && strcmp(l->path[at], path) < 0)
		at++;
	if (at < l->nr && !strcmp(l->path[at], path))
		return;
	if (l->nr == LOADED_MAX) {
		l->nr_more++;
		return;
	}
	memmove(&l->path[at + 1], &l->path[at],
		(l->nr - at) * sizeof(l->path[0]));
	l->path[at] = xstrdup(path);
	l->nr++;
}

void loaded_add(struct loaded *l, const struct control *c, uint32_t first)
{
	for (uint32_t i = first; i < c->nr_modules && i < CONTROL_MAX_MODULES;
	     i++) {
		char path[CONTROL_PATH_BYTES + 1];

		snprintf(path, sizeof(path), "%.*s", CONTROL_PATH_BYTES,
			 c->module[i].path);
		if (!is_system(path))
			add(l, path);
	}
}

void loaded_merge(struct loaded *l, const struct loaded *from)
{
	for (uint32_t i = 0; i < from->nr; i++)
		add(l, from->path[i]);
	l->nr_more += from->nr_more;
}

void loaded_print(FILE *f, const struct loaded *l)
{
	if (!l->nr)
		return;
	fputs("  NOT WATCHED, as it was loaded while runs were on:", f);
	for (uint32_t i = 0; i < l->nr; i++)
		fprintf(f, " %s", l->path[i]);
	fprintf(f, "%s\n  (LD_PRELOAD=%s in the environment of explore has it "
		"there before main,\n  and --instrument '%s' has it watched)\n",
		l->nr_more ? " ..." : "", l->path[0], path_base(l->path[0]));
}

void loaded_release(struct loaded *l)
{
	for (uint32_t i = 0; i < l->nr; i++)
		free(l->path[i]);
	memset(l, 0, sizeof(*l));
}
