/* SPDX-License-Identifier: MIT */
/*
 * directory.c - what is in a directory, without the C library.
 */
#include "preload/core/directory.h"

#include "preload/core/core.h"

#define LIST_BYTES 1024

static bool is_dots(const char *name)
{
	return name[0] == '.' &&
	       (!name[1] || (name[1] == '.' && !name[2]));
}

void directory_each(int64_t fd, void (*look)(const char *name, void *data),
		    void *data)
{
	_Alignas(8) char list[LIST_BYTES];
	int64_t n;

	if (fd < 0)
		return;
	while ((n = sys_call3(__NR_getdents64, fd, list, sizeof(list))) > 0)
		for (int64_t at = 0; at < n;) {
			const struct directory_entry *e =
				(const void *)(list + at);

			at += e->bytes;
			if (!is_dots(e->name))
				look(e->name, data);
		}
	sys_call1(__NR_close, fd);
}
