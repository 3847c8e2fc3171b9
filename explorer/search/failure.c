/* SPDX-License-Identifier: MIT */
/*
 * failure.c - one failing run: kept, replayed, saved.
 */
#include "explorer/search/failure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "explorer/races/race_stacks.h"
#include "explorer/target/notes.h"
#include "explorer/target/place.h"
#include "explorer/target/replay.h"

#ifndef EXPLORE_VERSION
#define EXPLORE_VERSION "0.1.0"
#endif

/* -------------------------------------------------------------- keeping */

static void *copy(const void *from, size_t nr, size_t bytes)
{
	void *to = xcalloc(nr, bytes);

	if (nr)
		memcpy(to, from, nr * bytes);
	return to;
}

static void fill_trace(struct trace *t, const struct control *c,
		       const struct target *target, const struct plan *plan)
{
	const struct scheduler *s = &c->scheduler;

	trace_init(t);
	t->tool_version = xstrdup(EXPLORE_VERSION);
	t->program = xstrdup(target->program);
	t->argv = xstrvdup(target->argv);
	t->env = xstrvdup(target->env ? target->env : environ);
	t->cwd = target->cwd ? xstrdup(target->cwd) : getcwd(NULL, 0);
	if (!t->cwd)
		t->cwd = xstrdup("/");
	t->stdin_path = target->stdin_path ? xstrdup(target->stdin_path) :
					     NULL;
	t->strategy = xstrdup(plan->spec);
	t->seed = c->config.seed;
	t->run = c->config.run;
	t->config = c->config;
	t->config.flags &= ~(uint32_t)CONTROL_F_VALUES;
	t->verdict = c->verdict;
	t->digest = c->digest;
	t->nr_tasks = s->nr_tasks;
	t->nr_preemptions = s->nr_preemptions;
	t->nr_switches = s->nr_switches;
	memcpy(t->nr_ops, s->nr_ops, sizeof(t->nr_ops));
	t->module = replay_modules(c, target->program, &t->nr_modules);
	t->live_site = access_live_sites(c, &t->nr_live_sites);
	t->site = access_sites(c, &t->nr_sites);
	for (uint32_t i = 0; i < t->nr_modules; i++)
		t->module[i].is_watched = access_is_watched(c,
			t->module[i].start, t->module[i].end,
			&t->module[i].order_only);
	t->nr_events = s->step;
	t->event = copy(c->event, t->nr_events, sizeof(t->event[0]));
	/* Without memory, objects have numbers for names. */
	trace_set_objects(t, s->object, s->nr_objects);
	t->nr_values = c->nr_values < CONTROL_MAX_VALUES ? c->nr_values :
							   CONTROL_MAX_VALUES;
	t->value = copy(c->value, t->nr_values, sizeof(t->value[0]));
	notes_take(t, c);
	t->input_bytes = c->input_bytes;
	t->input = copy(c->input, t->input_bytes, 1);
}

struct failure *failure_new(struct worker *w, const struct target *target,
			    const struct plan *plan)
{
	const struct control *c = worker_control(w);
	const struct scheduler *s = &c->scheduler;
	struct failure *f = xcalloc(1, sizeof(*f));
	const char *output;

	fill_trace(&f->trace, c, target, plan);
	f->nr_objects = s->nr_objects;
	f->object = copy(s->object, f->nr_objects, sizeof(f->object[0]));
	f->nr_tasks = s->nr_tasks;
	f->task = copy(s->task, f->nr_tasks, sizeof(f->task[0]));
	output = worker_output(w, &f->output_bytes);
	f->output = copy(output, f->output_bytes, 1);
	f->place = place_of_failure(c);
	f->counters = c->counters;
	return f;
}

void failure_free(struct failure *f)
{
	if (!f)
		return;
	trace_release(&f->trace);
	free(f->object);
	free(f->task);
	free(f->stack);
	free(f->output);
	free(f);
}

/* -------------------------------------------------------------- replay */

/*
 * The replay's addresses are the ones its stacks are in, so the report is
 * about the replay. What was read from outside is in the first run only.
 */
static void take_over(struct failure *again, struct failure *first)
{
	free(again->trace.input);
	again->trace.input = first->trace.input;
	again->trace.input_bytes = first->trace.input_bytes;
	again->trace.config = first->trace.config;
	again->trace.has_reproduced = true;
	first->trace.input = NULL;
	first->trace.input_bytes = 0;
}

int failure_confirm(struct failure **f, struct worker *w,
		    const struct target *target, const struct plan *plan,
		    struct errbuf *err)
{
	struct replay_stacks stacks = { NULL, NULL, 0 };
	struct failure *again;
	int rc;

	race_stacks_count(w, &(*f)->trace);
	rc = replay_run(w, &(*f)->trace, &stacks, err);
	if (rc || !replay_is_same(worker_control(w), &(*f)->trace))
		goto out;
	again = failure_new(w, target, plan);
	take_over(again, *f);
	again->stack = stacks.stack;
	again->nr_stacks = stacks.nr;
	stacks.stack = NULL;
	/* Without it the report is as good as it was. */
	race_stacks_earlier(w, &(*f)->trace, &again->earlier, NULL);
	failure_free(*f);
	*f = again;
out:
	replay_stacks_release(&stacks);
	return rc;
}

/* ------------------------------------------------------ saving, printing */

/* The tool's own: a replay may well use a newer one. */
static bool is_ours(const struct trace *t, const char *path)
{
	return !strcmp(path_base(path), "libexplore-preload.so") ||
	       !strcmp(path, t->config.plugin);
}

int failure_save(struct failure *f, const char *traces, char **path,
		 struct errbuf *err)
{
	struct trace *t = &f->trace;
	char *id;

	for (uint32_t i = 0; i < t->nr_modules; i++) {
		if (is_ours(t, t->module[i].path) ||
		    trace_build_id(t->module[i].path, &id))
			continue;
		free(t->module[i].build_id);
		t->module[i].build_id = id;
	}
	return trace_write(t, traces, path_base(t->argv[0]), path, err);
}
