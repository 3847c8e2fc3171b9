/* SPDX-License-Identifier: MIT */
/*
 * report_failure.c - the report on a kept run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "explorer/report/report.h"

/* In quotes when a shell would take it apart. */
static char *quote(const char *s)
{
	const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
			    "WXYZ0123456789_-+=./:,@%";
	char *out, *p;

	if (*s && strspn(s, plain) == strlen(s))
		return xstrdup(s);
	out = p = xcalloc(strlen(s) * 4 + 3, 1);
	*p++ = '\'';
	for (; *s; s++) {
		if (*s == '\'')
			p = stpcpy(p, "'\\''");
		else
			*p++ = *s;
	}
	*p++ = '\'';
	return out;
}

void report_failure(FILE *out, const struct failure *f, const char *path)
{
	char *tool = quote(program_invocation_name);
	char *where = path ? quote(path) : NULL;
	char *command = where ? xasprintf("%s replay %s", tool, where) : NULL;
	struct symbols *symbols = symbols_new(f->trace.module,
					      f->trace.nr_modules);
	struct report r = {
		.trace = &f->trace,
		.trace_path = path,
		.symbols = symbols,
		.stack = f->stack,
		.nr_stacks = f->nr_stacks,
		.earlier = &f->earlier,
		.object = f->object,
		.nr_objects = f->nr_objects,
		.task = f->task,
		.nr_tasks = f->nr_tasks,
		.output = f->output,
		.output_bytes = f->output_bytes,
		.replay_command = command,
		.counters = &f->counters,
	};

	report_print(out, &r);
	fflush(out);
	symbols_free(symbols);
	free(command);
	free(where);
	free(tool);
}
