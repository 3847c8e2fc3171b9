/* SPDX-License-Identifier: MIT */
/*
 * console.c - what a search finds, on stdout and stderr as it goes.
 *
 * Reports, the summary and what the target printed are the result: stdout.
 * Messages and the line of progress are for whoever watches: stderr.
 */
#include "explorer/cli/console.h"

#include <stdio.h>

#include "explorer/cli/message.h"
#include "explorer/report/report.h"
#include "explorer/report/summary.h"

static void on_progress(void *data, const struct tally *t)
{
	struct console *c = data;

	progress_update(&c->progress, t, c->o);
}

static void on_output(void *data, const char *text, size_t bytes)
{
	struct console *c = data;

	progress_clear(&c->progress);
	fwrite(text, 1, bytes, stdout);
}

static void on_failure(void *data, const struct failure *f, const char *path)
{
	struct console *c = data;

	progress_clear(&c->progress);
	report_failure(stdout, f, path);
}

static void on_message(void *data, const char *text)
{
	struct console *c = data;

	progress_clear(&c->progress);
	warn("%s", text);
}

static void on_end(void *data, const struct search_end *end)
{
	struct console *c = data;

	progress_clear(&c->progress);
	summary_print(stdout, end);
}

void console_init(struct console *c, const struct options *o)
{
	c->o = o;
	progress_init(&c->progress, o->is_quiet);
	c->observer = (struct search_observer){
		.data = c,
		.progressed = on_progress,
		.printed = on_output,
		.failed = on_failure,
		.said = on_message,
		.ended = on_end,
	};
}
