/* SPDX-License-Identifier: MIT */
/*
 * cmd_dump.c - `explore dump [TRACE]`: the schedule, operation by operation.
 */
#include "explorer/cli/commands.h"

#include <stdlib.h>

#include "explorer/cli/options.h"
#include "base/util.h"
#include "explorer/cli/message.h"
#include "explorer/report/report.h"
#include "explorer/report/dump.h"
#include "explorer/symbols/symbols.h"
#include "recorder/trace.h"

int cmd_dump(const struct options *o)
{
	struct errbuf err = ERRBUF_INIT;
	struct symbols *symbols;
	struct trace t;
	char *path = NULL;

	if (o->nr_operands)
		path = xstrdup(o->operand[0]);
	else if (trace_find_latest(o->traces, &path, &err))
		die(EXIT_NO_CONTROL, "%s", err.text);
	trace_init(&t);
	if (trace_read(&t, path, &err))
		die(EXIT_NO_CONTROL, "%s", err.text);
	/* Lines of another build would be wrong, and nothing would tell. */
	if (trace_check_modules(&t, &err))
		warn("warning: %s: functions and lines may be wrong",
		     err.text);
	symbols = symbols_new(t.module, t.nr_modules);
	if (o->is_json)
		report_dump_json(stdout, &t, symbols);
	else
		report_dump(stdout, &t, symbols);
	symbols_free(symbols);
	trace_release(&t);
	free(path);
	return EXIT_NOTHING_FOUND;
}
