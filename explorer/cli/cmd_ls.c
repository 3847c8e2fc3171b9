/* SPDX-License-Identifier: MIT */
/*
 * cmd_ls.c - `explore ls`: the traces in a directory.
 */
#include "explorer/cli/commands.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explorer/cli/options.h"
#include "base/util.h"
#include "explorer/cli/message.h"
#include "explorer/symbols/symbols.h"
#include "recorder/trace.h"
#include "recorder/names.h"

/* Where it went wrong, as far as the files still tell. */
static char *describe_place(const struct trace *t)
{
	struct symbols *symbols;
	struct symbol at = { NULL };
	char *text;

	if (!t->verdict.pc)
		return xstrdup("-");
	symbols = symbols_new(t->module, t->nr_modules);
	if (symbols)
		symbols_find(symbols, t->verdict.pc,
			     t->verdict.kind != CONTROL_VERDICT_CRASH &&
			     t->verdict.kind != CONTROL_VERDICT_RACE, &at);
	if (at.file)
		text = xasprintf("%s:%d", at.file, at.line);
	else if (at.module)
		text = xasprintf("%s+0x%llx", at.module,
				 (unsigned long long)at.offset);
	else
		text = xstrdup("-");
	symbols_free(symbols);
	return text;
}

static void print_row(const char *path, const struct trace *t)
{
	char *place = describe_place(t);
	char verdict[64];

	if (t->verdict.kind == CONTROL_VERDICT_EXIT ||
	    t->verdict.kind == CONTROL_VERDICT_CRASH)
		snprintf(verdict, sizeof(verdict), "%s %d",
			 trace_verdict_name(t->verdict.kind),
			 t->verdict.code);
	else
		snprintf(verdict, sizeof(verdict), "%s",
			 trace_verdict_name(t->verdict.kind));
	printf("%-32s %-16s %6llu ops %4u tasks  %s\n", path, verdict,
	       (unsigned long long)t->nr_events, t->nr_tasks, place);
	free(place);
}

static cJSON *make_row(const char *path, const struct trace *t)
{
	char *place = describe_place(t);
	cJSON *row = cJSON_CreateObject();

	cJSON_AddStringToObject(row, "path", path);
	cJSON_AddStringToObject(row, "verdict",
				trace_verdict_name(t->verdict.kind));
	cJSON_AddNumberToObject(row, "code", t->verdict.code);
	cJSON_AddNumberToObject(row, "events", (double)t->nr_events);
	cJSON_AddNumberToObject(row, "tasks", t->nr_tasks);
	cJSON_AddStringToObject(row, "place", place);
	free(place);
	return row;
}

/* Temporary directories of a writer at work begin with a dot. */
static int is_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* One entry. Returns 0, or negative when it is no readable trace. */
static int list_one(const char *path, cJSON *rows)
{
	struct errbuf err = ERRBUF_INIT;
	struct trace t;
	int rc;

	trace_init(&t);
	rc = trace_read(&t, path, &err);
	if (rc)
		warn("%s", err.text);
	else if (rows)
		cJSON_AddItemToArray(rows, make_row(path, &t));
	else
		print_row(path, &t);
	trace_release(&t);
	return rc;
}

int cmd_ls(const struct options *o)
{
	cJSON *rows = o->is_json ? cJSON_CreateArray() : NULL;
	int status = EXIT_NOTHING_FOUND;
	struct dirent **entry = NULL;
	int nr;

	nr = scandir(o->traces, &entry, is_visible, versionsort);
	if (nr < 0 && errno != ENOENT)
		die(EXIT_NO_CONTROL, "cannot list '%s': %s", o->traces,
		    strerror(errno));
	for (int i = 0; i < nr; i++) {
		char *path = xasprintf("%s/%s", o->traces, entry[i]->d_name);

		if (list_one(path, rows))
			status = EXIT_NO_CONTROL;
		free(path);
		free(entry[i]);
	}
	free(entry);
	if (rows) {
		char *text = cJSON_Print(rows);

		printf("%s\n", text ? text : "[]");
		free(text);
		cJSON_Delete(rows);
	} else if (nr <= 0) {
		warn("no traces in '%s'", o->traces);
	}
	return status;
}
