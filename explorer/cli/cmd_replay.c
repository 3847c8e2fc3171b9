/* SPDX-License-Identifier: MIT */
/*
 * cmd_replay.c - `explore replay [TRACE]`: the same run once more.
 */
#include "explorer/cli/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explorer/target/notes.h"
#include "explorer/cli/options.h"
#include "explorer/races/race_stacks.h"
#include "base/util.h"
#include "explorer/cli/message.h"
#include "explorer/target/launch.h"
#include "explorer/report/report.h"
#include "explorer/symbols/symbols.h"
#include "explorer/target/replay.h"
#include "explorer/target/target.h"
#include "recorder/trace.h"
#include "recorder/names.h"

/* The trace named, or the latest one; malloc'd. */
static char *choose_trace(const struct options *o)
{
	struct errbuf err = ERRBUF_INIT;
	char *path;

	if (o->nr_operands)
		return xstrdup(o->operand[0]);
	if (trace_find_latest(o->traces, &path, &err))
		die(EXIT_NO_CONTROL, "%s", err.text);
	return path;
}

/* The target as it was then. */
static void make_target(struct target *target, const struct trace *t,
			const struct options *o)
{
	*target = (struct target){
		.program = xstrdup(t->program),
		.argv = xstrvdup(t->argv),
		.env = xstrvdup(t->env),
		.cwd = xstrdup(t->cwd),
		.stdin_path = t->stdin_path ? xstrdup(t->stdin_path) : NULL,
		.has_guard = o->has_guard &&
			     !(t->config.flags & CONTROL_F_NO_GUARD),
		.run_timeout_ms = o->run_timeout_ms,
	};
}

/* The same modules; what is watched only matters where it was. */
static void watch_as_then(struct access_scope *scope, const struct trace *t)
{
	scope->is_exact = true;
	for (uint32_t i = 0; i < t->nr_modules; i++)
		if (t->module[i].is_watched &&
		    scope->nr_paths < ACCESS_MAX_PATHS) {
			scope->path[scope->nr_paths] = t->module[i].path;
			scope->order_only[scope->nr_paths++] =
				(uint8_t)t->module[i].order_only;
		}
	scope->is_on = scope->nr_paths > 0;
}

static void print_report(struct worker *w, const struct trace *t,
			 const char *path, struct replay_stacks *stacks,
			 const struct stack *earlier)
{
	const struct control *c = worker_control(w);
	struct trace shown = *t;	/* borrows all but the modules */
	struct report r = {
		.trace = &shown,
		.trace_path = path,
		.symbols = stacks->symbols,
		.stack = stacks->stack,
		.nr_stacks = stacks->nr,
		.earlier = earlier,
		.object = c->scheduler.object,
		.nr_objects = c->scheduler.nr_objects,
		.task = c->scheduler.task,
		.nr_tasks = c->scheduler.nr_tasks,
	};

	/* Addresses of this run, which the symbols are for. */
	shown.verdict = c->verdict;
	shown.has_reproduced = true;
	shown.event = (struct sched_event *)c->event;
	shown.nr_events = c->scheduler.step;
	shown.value = (struct control_value *)c->value;
	shown.nr_values = c->nr_values;
	shown.module = replay_modules(c, t->program, &shown.nr_modules);
	r.output = worker_output(w, &r.output_bytes);
	shown.note = NULL;
	notes_take(&shown, c);
	report_print(stdout, &r);
	free(shown.note);
	replay_modules_free(shown.module, shown.nr_modules);
}

static int judge(struct worker *w, const struct trace *t, const char *path,
		 struct replay_stacks *stacks, const struct stack *earlier,
		 const struct options *o)
{
	const struct control *c = worker_control(w);
	struct errbuf text = ERRBUF_INIT;
	const char *output;
	size_t bytes;

	if (!replay_is_same(c, t)) {
		if (c->verdict.kind == CONTROL_VERDICT_INTERNAL)
			die(EXIT_NO_CONTROL, "cannot replay '%s': %s", path,
			    c->verdict.message);
		replay_explain(c, t, &text);
		printf("%s\n", text.text);
		return EXIT_FOUND;
	}
	if (o->shows_output) {
		output = worker_output(w, &bytes);
		fwrite(output, 1, bytes, stdout);
	} else if (!o->is_quiet && stacks->symbols &&
		   t->verdict.kind != CONTROL_VERDICT_EXIT) {
		print_report(w, t, path, stacks, earlier);
	}
	printf("reproduced '%s': %s after %llu operations\n", path,
	       trace_verdict_name(c->verdict.kind),
	       (unsigned long long)c->scheduler.step);
	return EXIT_NOTHING_FOUND;
}

/*
 * The stack of the other access of a race, when that is what the trace ends
 * by.
 */
static void find_earlier(struct worker *w, const struct trace *t,
			 struct stack *earlier)
{
	memset(earlier, 0, sizeof(*earlier));
	if (t->verdict.kind != CONTROL_VERDICT_RACE)
		return;
	race_stacks_count(w, t);
	/*
	 * Whatever is wrong with the replay will show in the one that counts.
	 */
	if (!replay_run(w, t, NULL, NULL))
		race_stacks_earlier(w, t, earlier, NULL);
	worker_control(w)->watch.mode = CONTROL_WATCH_OFF;
}

int cmd_replay(const struct options *o)
{
	struct replay_stacks stacks = { NULL, NULL, 0 };
	struct errbuf err = ERRBUF_INIT;
	char *path = choose_trace(o);
	struct access_scope scope = { 0 };
	struct worker *w = NULL;
	struct target target;
	struct stack earlier;
	struct trace t;
	int cpu, status;

	trace_init(&t);
	if (trace_read(&t, path, &err) ||
	    target_check(t.program, &err) || trace_check_modules(&t, &err))
		die(EXIT_NO_CONTROL, "%s", err.text);
	make_target(&target, &t, o);
	watch_as_then(&scope, &t);
	target.scope = &scope;
	/* Not asked any more, but it took up room in the target. */
	if (access(t.config.plugin, R_OK))
		t.config.plugin[0] = '\0';
	cpu = launch_choose_cpu(0);
	launch_pin_self(cpu);
	if (worker_start(&w, &target, &t.config, cpu, &err))
		die(EXIT_NO_CONTROL, "%s", err.text);
	/* First: the report is about what the region holds in the end. */
	find_earlier(w, &t, &earlier);
	if (replay_run(w, &t, &stacks, &err))
		die(EXIT_NO_CONTROL, "%s", err.text);
	status = judge(w, &t, path, &stacks, &earlier, o);
	replay_stacks_release(&stacks);
	worker_free(w);
	target_release(&target);
	trace_release(&t);
	free(path);
	return status;
}
