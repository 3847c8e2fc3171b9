/* SPDX-License-Identifier: MIT */
/*
 * replay.c - a trace run again in a worker.
 */
#include "explorer/target/replay.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "explorer/target/notes.h"
#include "explorer/target/counters.h"
#include "base/util.h"
#include "strategies/strategies.h"
#include "strategies/replay.h"
#include "recorder/names.h"

/* -------------------------------------------------------------- modules */

struct trace_module *replay_modules(const struct control *c,
				    const char *program, uint32_t *nr)
{
	uint32_t n = c->nr_modules < CONTROL_MAX_MODULES ? c->nr_modules :
							   CONTROL_MAX_MODULES;
	struct trace_module *m = xcalloc(n, sizeof(*m));

	for (uint32_t i = 0; i < n; i++) {
		const struct control_module *from = &c->module[i];
		char path[CONTROL_PATH_BYTES + 1];

		snprintf(path, sizeof(path), "%.*s", CONTROL_PATH_BYTES,
			 from->path);
		/* ld.so calls the program "" and libraries by search path. */
		m[i].path = path[0] ? realpath(path, NULL) : xstrdup(program);
		if (!m[i].path)
			m[i].path = xstrdup(path);	/* [vdso], deleted */
		m[i].build_id = xstrdup("");
		m[i].start = from->start;
		m[i].end = from->end;
		m[i].bias = from->bias;
	}
	*nr = n;
	return m;
}

void replay_modules_free(struct trace_module *m, uint32_t nr)
{
	for (uint32_t i = 0; m && i < nr; i++) {
		free(m[i].path);
		free(m[i].build_id);
	}
	free(m);
}

/* --------------------------------------------------------------- stacks */

struct inspection {
	struct replay_stacks *stacks;
	const char *program;
};

/*
 * The run stands still, or is about to be killed for being late: take the
 * stacks of its live tasks.
 */
static void inspect(struct worker *w, pid_t pid, void *data)
{
	struct inspection *in = data;
	struct control *c = worker_control(w);
	struct scheduler *s = &c->scheduler;
	struct replay_stacks *out = in->stacks;
	struct trace_module *m;
	uint32_t nr_modules;

	m = replay_modules(c, in->program, &nr_modules);
	out->symbols = symbols_new(m, nr_modules);
	replay_modules_free(m, nr_modules);
	if (!out->symbols)
		return;
	out->stack = xcalloc(s->nr_live, sizeof(*out->stack));
	notes_add_children(c, pid);
	for (uint32_t i = 0; i < s->nr_live && i < SCHED_MAX_TASKS; i++) {
		struct stack *stack = &out->stack[out->nr];

		/* A run that is late has no registers of the others to show. */
		if (c->state != CONTROL_STATE_FROZEN &&
		    !c->task[s->live[i]].uses_trap_frame)
			continue;
		if (!stacks_unwind(out->symbols, c, pid, s->live[i], stack))
			out->nr++;
	}
}

void replay_stacks_release(struct replay_stacks *s)
{
	if (s->symbols)
		symbols_free(s->symbols);
	free(s->stack);
	memset(s, 0, sizeof(*s));
}

/* ------------------------------------------------------------------ run */

static int load_script(struct control *c, const struct trace *t,
		       bool has_inspection, struct errbuf *err)
{
	struct explore_setup setup = {
		.seed = t->config.seed,
		.max_steps = t->config.scheduler.max_steps,
		.max_tasks = SCHED_MAX_TASKS,
	};

	if (t->nr_events > setup.max_steps ||
	    setup.max_steps > CONTROL_MAX_STEPS ||
	    t->input_bytes > CONTROL_INPUT_BYTES) {
		errbuf_addf(err, "the trace is larger than this explore can "
			    "replay");
		return -E2BIG;
	}
	c->config = t->config;
	c->config.flags &= ~(uint32_t)(CONTROL_F_INSPECT | CONTROL_F_DEBUG);
	c->config.flags |= CONTROL_F_REPLAY;
	if (has_inspection)
		c->config.flags |= CONTROL_F_INSPECT | CONTROL_F_VALUES;
	if (getenv("EXPLORE_DEBUG"))
		c->config.flags |= CONTROL_F_DEBUG;
	snprintf(c->config.strategy, sizeof(c->config.strategy), "%s",
		 strategy_replay.name);
	c->config.plugin[0] = '\0';
	c->config.strategy_bytes = strategy_replay.state_bytes(&setup);
	c->config.nr_script = t->nr_events;
	c->config.script_input_bytes = t->input_bytes;
	if (t->nr_events)
		memcpy(c->script, t->event,
		       t->nr_events * sizeof(t->event[0]));
	if (t->input_bytes)
		memcpy(c->script_input, t->input, t->input_bytes);
	strategy_replay.init(c->strategy, &setup);
	return strategy_replay_fill(c->strategy, &c->script[0].chosen,
				    &c->script[0].ticks, sizeof(c->script[0]),
				    t->nr_events);
}

/* An address of the trace, in this process; 0 when it is in no module. */
static uint64_t address_here(const struct trace *t, uint64_t addr,
			     const struct trace_module *here, uint32_t nr_here)
{
	for (uint32_t m = 0; m < t->nr_modules; m++) {
		const struct trace_module *then = &t->module[m];

		if (addr < then->start || addr >= then->end)
			continue;
		for (uint32_t h = 0; h < nr_here; h++)
			if (!strcmp(here[h].path, then->path))
				return addr - then->bias + here[h].bias;
		break;
	}
	return 0;
}

uint64_t replay_address(const struct control *c, const struct trace *t,
			uint64_t addr)
{
	struct trace_module *here;
	uint32_t nr_here;

	here = replay_modules(c, t->program, &nr_here);
	addr = address_here(t, addr, here, nr_here);
	replay_modules_free(here, nr_here);
	return addr;
}

/* What the run began with, as traces of version 2 have it. */
static void load_live_sites(struct control *c, const struct trace *t,
			    const struct trace_module *here, uint32_t nr_here)
{
	uint64_t *site = xcalloc(t->nr_live_sites + 1, sizeof(*site));
	uint32_t nr = 0;

	for (uint32_t i = 0; i < t->nr_live_sites; i++) {
		site[nr] = address_here(t, t->live_site[i], here, nr_here);
		nr += site[nr] != 0;
	}
	access_set_live(c, site, nr);
	free(site);
}

static void load_sites(struct control *c, const struct trace *t,
		       const struct trace_module *here, uint32_t nr_here)
{
	struct trace_site *site = xcalloc(t->nr_sites + 1, sizeof(*site));
	uint32_t nr = 0;

	for (uint32_t i = 0; i < t->nr_sites; i++) {
		site[nr] = t->site[i];
		site[nr].addr = address_here(t, site[nr].addr, here, nr_here);
		nr += site[nr].addr != 0;
	}
	access_set_sites(c, site, nr);
	free(site);
}

/* What was known of the accesses, and the race that was the trace's end. */
static void load_accesses(struct control *c, const struct trace *t)
{
	struct trace_module *here;
	uint32_t nr_here;

	here = replay_modules(c, t->program, &nr_here);
	if (t->site)
		load_sites(c, t, here, nr_here);
	else
		load_live_sites(c, t, here, nr_here);
	c->replay_race_pc = t->verdict.kind == CONTROL_VERDICT_RACE
			? address_here(t, t->verdict.pc, here, nr_here) : 0;
	replay_modules_free(here, nr_here);
}

/* The same clock: this machine's counter, or the place as it is here. */
static int load_clock(struct control *c, const struct trace *t,
		      struct errbuf *err)
{
	struct control_clock *clock = &c->config.clock;
	struct errbuf why = ERRBUF_INIT;
	struct trace_module *here;
	uint32_t nr_here;

	if (clock->kind == CONTROL_CLOCK_BREAK) {
		here = replay_modules(c, t->program, &nr_here);
		clock->event = address_here(t, clock->event, here, nr_here);
		replay_modules_free(here, nr_here);
		return 0;
	}
	if (clock->kind != CONTROL_CLOCK_HPC || !counters_find(clock, &why))
		return 0;
	errbuf_addf(err, "the trace was recorded with --clock hpc, and the "
		    "branch counter cannot be used here: %s", why.text);
	return -ENOTSUP;
}

int replay_inspect(struct worker *w, const struct trace *t,
		   void (*look)(struct worker *w, pid_t pid, void *data),
		   void *data, struct errbuf *err)
{
	int rc = load_script(worker_control(w), t, look != NULL, err);

	if (!rc)
		rc = load_clock(worker_control(w), t, err);
	if (rc)
		return rc;
	load_accesses(worker_control(w), t);
	if (t->verdict.kind == CONTROL_VERDICT_CRASH &&
	    t->verdict.code == SIGKILL)
		worker_expect_kill(w);
	return worker_run(w, look, data, err);
}

int replay_run(struct worker *w, const struct trace *t,
	       struct replay_stacks *stacks, struct errbuf *err)
{
	struct inspection in = { stacks, t->program };

	return replay_inspect(w, t, stacks ? inspect : NULL, &in, err);
}

/* ----------------------------------------------------------- comparison */

bool replay_is_same(const struct control *c, const struct trace *t)
{
	return c->verdict.kind == t->verdict.kind &&
	       c->verdict.code == t->verdict.code &&
	       c->digest == t->digest;
}

static void add_event(struct errbuf *text, const struct sched_event *e)
{
	errbuf_addf(text, "task %u %s", e->task, trace_op_name(e->kind));
	if (e->object)
		errbuf_addf(text, " of object %u", e->object);
	if (e->point != EXPLORE_POINT_TASK)
		errbuf_addf(text, " choosing %u", e->chosen);
	errbuf_addf(text, " among %u", e->nr);
}

static bool looks_equal(const struct sched_event *a,
			const struct sched_event *b)
{
	return a->task == b->task && a->kind == b->kind &&
	       a->object == b->object && a->point == b->point &&
	       a->chosen == b->chosen && a->nr == b->nr;
}

/* What task `task` is at instead, as the model has it. */
static void add_announced(struct errbuf *text, const struct control *c,
			  uint32_t task)
{
	const struct sched_task *t = &c->scheduler.task[task];

	if (task >= c->scheduler.nr_tasks || t->state != SCHED_TASK_ALIVE) {
		errbuf_addf(text, "no such task");
		return;
	}
	errbuf_addf(text, "task %u that cannot go on at %s", task,
		    trace_op_name(t->op.kind));
	if (t->op.object)
		errbuf_addf(text, " of object %u", t->op.object);
}

void replay_explain(const struct control *c, const struct trace *t,
		    struct errbuf *text)
{
	uint64_t step = c->scheduler.step;
	const struct sched_event *got = &c->event[step];

	if (c->verdict.kind != CONTROL_VERDICT_DIVERGED) {
		errbuf_addf(text, "diverged at the end, after event %llu: "
			    "expected %s, got %s",
			    (unsigned long long)step,
			    trace_verdict_name(t->verdict.kind),
			    trace_verdict_name(c->verdict.kind));
		if (c->verdict.message[0])
			errbuf_addf(text, " (%s)", c->verdict.message);
		return;
	}
	errbuf_addf(text, "diverged at event %llu: expected ",
		    (unsigned long long)step);
	if (step >= t->nr_events) {
		errbuf_addf(text, "%s, got more operations",
			    trace_verdict_name(t->verdict.kind));
		return;
	}
	add_event(text, &t->event[step]);
	errbuf_addf(text, ", got ");
	if (got->chosen == UINT32_MAX) {
		/* The recorded answer was not on offer. */
		add_announced(text, c, t->event[step].task);
		return;
	}
	add_event(text, got);
	if (looks_equal(got, &t->event[step]))
		errbuf_addf(text, " at another place or with another result");
}
