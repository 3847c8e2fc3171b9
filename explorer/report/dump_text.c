/* SPDX-License-Identifier: MIT */
/*
 * dump_text.c - a whole schedule for `explore dump`, one line an event.
 */
#include <inttypes.h>
#include <string.h>

#include "explorer/report/describe.h"
#include "explorer/report/note_rows.h"
#include "explorer/report/dump.h"
#include "recorder/names.h"
#include "explorer/target/notes.h"

static void print_arguments(FILE *f, const struct trace *t)
{
	fprintf(f, "# command    ");
	for (char **arg = t->argv; arg && *arg; arg++)
		fprintf(f, "%s%s", arg == t->argv ? "" : " ", *arg);
	fprintf(f, "\n");
}

static void print_header(FILE *f, struct describe *d, const struct trace *t)
{
	const struct control_verdict *v = &t->verdict;
	char place[DESCRIBE_BYTES];

	print_arguments(f, t);
	fprintf(f, "# strategy   %s, seed %" PRIu64 ", run %" PRIu64 "\n",
		t->strategy ? t->strategy : "", t->seed, t->run);
	fprintf(f, "# verdict    %s", trace_verdict_name(v->kind));
	if (v->code)
		fprintf(f, " %d", v->code);
	if (v->pc) {
		describe_place(d, v->pc, v->kind != CONTROL_VERDICT_CRASH,
			       place, sizeof(place));
		fprintf(f, " of T%u at %s", v->task, place);
	}
	fprintf(f, "\n");
	if (v->message[0])
		fprintf(f, "# message    %.*s\n",
			(int)strcspn(v->message, "\n"), v->message);
	fprintf(f, "# events     %" PRIu64 " of %u tasks, %" PRIu64
		" switches, %" PRIu64 " preemptions\n", t->nr_events,
		t->nr_tasks, t->nr_switches, t->nr_preemptions);
	fprintf(f, "# reproduced %s\n", t->has_reproduced ? "yes" : "no");
	fprintf(f, "#\n# %7s %14s %-6s %-18s %-24s %s\n", "step", "time",
		"task", "operation", "object", "place");
}

/* What an operation acted on, or what was chosen. */
static void name_objects(struct describe *d, const struct sched_event *e,
			 char *text, size_t bytes)
{
	char second[DESCRIBE_BYTES];
	size_t used;

	if (e->point == EXPLORE_POINT_VALUE) {
		snprintf(text, bytes, "%u of 0..%u", e->chosen,
			 e->nr ? e->nr - 1u : 0u);
		return;
	}
	if (describe_noted(d, e, text, bytes))
		return;
	describe_subject(d, e, text, bytes);
	used = strlen(text);
	describe_change(d, e, text + used, bytes - used);
	used = strlen(text);
	if (e->point == EXPLORE_POINT_WAKE) {
		snprintf(text + used, bytes - used, "%s-> T%u",
			 used ? " " : "", e->chosen);
	} else if (e->object2) {
		describe_object(d, e->object2, EXPLORE_OP_MUTEX_LOCK, second,
				sizeof(second));
		snprintf(text + used, bytes - used, " (%s)", second);
	}
}

static const char *mark(const struct sched_event *e)
{
	if (e->flags & SCHED_EVENT_PREEMPTION)
		return "!";
	return e->flags & SCHED_EVENT_SWITCH ? ">" : " ";
}

static void print_event(FILE *f, struct describe *d,
			const struct sched_event *e, uint64_t step)
{
	char objects[4 * DESCRIBE_BYTES], place[DESCRIBE_BYTES];
	bool is_return;
	char task[16];
	uint64_t pc;

	name_objects(d, e, objects, sizeof(objects));
	pc = describe_event_pc(d, e, &is_return);
	describe_place(d, pc, is_return, place, sizeof(place));
	snprintf(task, sizeof(task), "T%u", e->task);
	fprintf(f, "%s %7" PRIu64 " %4" PRIu64 ".%09" PRIu64 " %-6s %-18s",
		mark(e), step, e->now_ns / 1000000000,
		e->now_ns % 1000000000, task, trace_op_name(e->kind));
	if (e->pc)
		fprintf(f, " %-24s %s", objects, place);
	else if (objects[0])
		fprintf(f, " %s", objects);
	if (e->ticks)
		fprintf(f, " (slice %" PRIu64 ")", e->ticks);
	fprintf(f, "%s\n",
		e->flags & SCHED_EVENT_TIMEOUT ? " (timeout)" : "");
}

/* What happened before the step and is no operation. */
static void print_notes(FILE *f, struct describe *d, uint64_t step)
{
	const struct control_note *n;
	char text[2 * DESCRIBE_BYTES], place[DESCRIBE_BYTES], task[16];

	for (uint32_t i = 0; (n = note_rows_find(d, step, i)); i++) {
		note_rows_describe(d, n, text, sizeof(text));
		place[0] = '\0';
		if (n->pc)
			describe_place(d, n->pc, true, place, sizeof(place));
		snprintf(task, sizeof(task), "T%u", n->task);
		fprintf(f, "  %7s %14s %-6s %s%s%s\n", "", "", task, text,
			place[0] ? "  " : "", place);
	}
}

void report_dump(FILE *f, const struct trace *t, struct symbols *s)
{
	struct describe d;

	describe_init(&d, t, s, NULL, 0);
	print_header(f, &d, t);
	for (uint64_t i = 0; i < t->nr_events && !ferror(f); i++) {
		print_notes(f, &d, i);
		print_event(f, &d, &t->event[i], i);
	}
	print_notes(f, &d, t->nr_events);
	fprintf(f, "# > another task than before, ! a preemption: the previous "
		"task could have gone on\n");
	describe_release(&d);
}
