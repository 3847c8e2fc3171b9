/* SPDX-License-Identifier: MIT */
/*
 * trace.c - life cycle of struct trace.
 */
#include "recorder/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void free_strings(char **list)
{
	if (!list)
		return;
	for (char **s = list; *s; s++)
		free(*s);
	free(list);
}

void trace_init(struct trace *t)
{
	memset(t, 0, sizeof(*t));
}

void trace_release(struct trace *t)
{
	free(t->tool_version);
	free(t->program);
	free_strings(t->argv);
	free_strings(t->env);
	free(t->cwd);
	free(t->stdin_path);
	free(t->strategy);
	free_strings(t->ok_exit);
	for (uint32_t i = 0; t->module && i < t->nr_modules; i++) {
		free(t->module[i].path);
		free(t->module[i].build_id);
	}
	free(t->module);
	free(t->live_site);
	free(t->site);
	free(t->event);
	free(t->input);
	free(t->object);
	free(t->value);
	free(t->note);
	trace_init(t);
}

int trace_set_objects(struct trace *t, const struct sched_object *object,
		      uint32_t nr)
{
	struct trace_object *copy = calloc((size_t)nr + 1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	for (uint32_t i = 0; i < nr; i++) {
		copy[i].addr = object[i].addr;
		copy[i].first_pc = object[i].first_pc;
		copy[i].class = object[i].class;
	}
	free(t->object);
	t->object = copy;
	t->nr_objects = nr;
	return 0;
}
