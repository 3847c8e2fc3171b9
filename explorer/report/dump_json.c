/* SPDX-License-Identifier: MIT */
/*
 * dump_json.c - a whole schedule for `explore dump --json`.
 *
 * One JSON object, one line an event, printed as it is made: a schedule may
 * have millions of events, and their tree would not fit in memory. 64-bit
 * numbers are strings, as in trace.json.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>

#include "explorer/report/describe.h"
#include "explorer/report/note_rows.h"
#include "explorer/report/dump.h"
#include "recorder/names.h"
#include "explorer/symbols/variables.h"
#include "explorer/target/notes.h"

static void add_u64(cJSON *o, const char *name, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	cJSON_AddStringToObject(o, name, text);
}

static void add_hex(cJSON *o, const char *name, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	cJSON_AddStringToObject(o, name, text);
}

static void add_place(cJSON *o, struct describe *d, uint64_t pc,
		      bool is_return)
{
	struct symbol symbol;

	symbols_find(d->symbols, pc, is_return, &symbol);
	add_hex(o, "pc", pc);
	if (symbol.module) {
		cJSON_AddStringToObject(o, "module", symbol.module);
		add_hex(o, "offset", symbol.offset);
	}
	if (symbol.function)
		cJSON_AddStringToObject(o, "function", symbol.function);
	if (symbol.file) {
		cJSON_AddStringToObject(o, "file", symbol.file);
		cJSON_AddNumberToObject(o, "line", symbol.line);
	}
}

static void add_object(cJSON *o, struct describe *d, const char *key,
		       const char *name_key, uint32_t id, uint16_t kind)
{
	char name[DESCRIBE_BYTES];

	if (!id)
		return;
	describe_object(d, id, kind, name, sizeof(name));
	cJSON_AddNumberToObject(o, key, id);
	cJSON_AddStringToObject(o, name_key, name);
}

static void add_subject(cJSON *o, struct describe *d,
			const struct sched_event *e)
{
	char name[DESCRIBE_BYTES];

	if (e->object)
		cJSON_AddNumberToObject(o, "object", e->object);
	describe_subject(d, e, name, sizeof(name));
	if (name[0])
		cJSON_AddStringToObject(o, "object_name", name);
}

static void add_bytes(cJSON *o, const char *name, const uint8_t *data,
		      uint32_t size)
{
	char text[3 + 2 * CONTROL_VALUE_BYTES] = "0x";
	uint32_t nr = size < CONTROL_VALUE_BYTES ? size : CONTROL_VALUE_BYTES;

	for (uint32_t i = 0; i < nr; i++)
		snprintf(text + 2 + 2 * i, 3, "%02x", data[nr - 1 - i]);
	cJSON_AddStringToObject(o, name, text);
}

static void add_side(cJSON *o, struct describe *d,
		     const struct control_value *v, const uint8_t *data,
		     const char *name, const char *text_name)
{
	char text[DESCRIBE_BYTES];

	add_bytes(o, name, data, v->size);
	symbols_value(d->symbols, v->addr, data, v->size, text, sizeof(text));
	cJSON_AddStringToObject(o, text_name, text);
}

static void add_value(cJSON *event, struct describe *d,
		      const struct control_value *v)
{
	cJSON *o = cJSON_AddObjectToObject(event, "value"), *block;

	add_hex(o, "address", v->addr);
	cJSON_AddNumberToObject(o, "size", v->size);
	if (v->has & CONTROL_VALUE_BEFORE)
		add_side(o, d, v, v->before, "before", "before_text");
	if (v->has & CONTROL_VALUE_AFTER)
		add_side(o, d, v, v->after, "after", "after_text");
	if (!v->block)
		return;
	block = cJSON_AddObjectToObject(o, "block");
	add_u64(block, "bytes", v->block_bytes);
	add_u64(block, "offset", v->addr - v->block);
	add_place(block, d, v->block_pc, true);
}

static const char *point_name(uint8_t point)
{
	switch (point) {
	case EXPLORE_POINT_TASK:
		return "task";
	case EXPLORE_POINT_WAKE:
		return "wake";
	case EXPLORE_POINT_VALUE:
		return "value";
	default:
		return "unknown";
	}
}

/* Printed and freed; out of memory leaves a `null`, which is still JSON. */
static void print(FILE *f, cJSON *o)
{
	char *text = cJSON_PrintUnformatted(o);

	fputs(text ? text : "null", f);
	cJSON_free(text);
	cJSON_Delete(o);
}

static void print_event(FILE *f, struct describe *d,
			const struct sched_event *e, uint64_t step)
{
	const struct control_value *v = describe_value(d, step);
	cJSON *o = cJSON_CreateObject();
	char detail[2 * DESCRIBE_BYTES];
	bool is_return;
	uint64_t pc = describe_event_pc(d, e, &is_return);

	cJSON_AddNumberToObject(o, "step", (double)step);
	cJSON_AddNumberToObject(o, "task", e->task);
	cJSON_AddStringToObject(o, "point", point_name(e->point));
	cJSON_AddStringToObject(o, "op", trace_op_name(e->kind));
	add_subject(o, d, e);
	add_object(o, d, "object2", "object2_name", e->object2,
		   EXPLORE_OP_MUTEX_LOCK);
	cJSON_AddNumberToObject(o, "chosen", e->chosen);
	cJSON_AddNumberToObject(o, "of", e->nr);
	cJSON_AddBoolToObject(o, "switch", e->flags & SCHED_EVENT_SWITCH);
	cJSON_AddBoolToObject(o, "preemption",
			      e->flags & SCHED_EVENT_PREEMPTION);
	cJSON_AddBoolToObject(o, "timeout", e->flags & SCHED_EVENT_TIMEOUT);
	if (e->ticks)
		add_u64(o, "slice", e->ticks);
	add_u64(o, "now_ns", e->now_ns);
	add_hex(o, "digest", e->digest);
	add_place(o, d, pc, is_return);
	if (describe_noted(d, e, detail, sizeof(detail)))
		cJSON_AddStringToObject(o, "detail", detail);
	if (v)
		add_value(o, d, v);
	print(f, o);
}

/* What happened between operations, and how children stood at the end. */
static void print_note(FILE *f, struct describe *d,
		       const struct control_note *n)
{
	cJSON *o = cJSON_CreateObject();
	char text[2 * DESCRIBE_BYTES];

	cJSON_AddStringToObject(o, "kind", notes_kind_name(n->kind));
	cJSON_AddNumberToObject(o, "before_step", (double)n->step);
	if (n->kind == CONTROL_NOTE_CHILD) {
		cJSON_AddNumberToObject(o, "child", n->number);
		cJSON_AddStringToObject(o, "state", n->text);
		if (n->addr)
			add_hex(o, "futex", n->addr);
	} else {
		cJSON_AddNumberToObject(o, "task", n->task);
		note_rows_describe(d, n, text, sizeof(text));
		cJSON_AddStringToObject(o, "text", text);
	}
	if (n->pc)
		add_place(o, d, n->pc, true);
	print(f, o);
}

static void print_notes(FILE *f, struct describe *d, const struct trace *t)
{
	const char *before = "\n";

	for (uint32_t i = 0; i < t->nr_notes; i++) {
		const struct control_note *n = &t->note[i];

		if (n->kind != CONTROL_NOTE_CHILD && !note_rows_has(d, n))
			continue;
		fputs(before, f);
		print_note(f, d, n);
		before = ",\n";
	}
}

static void print_verdict(FILE *f, struct describe *d,
			  const struct control_verdict *v)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "kind", trace_verdict_name(v->kind));
	cJSON_AddNumberToObject(o, "code", v->code);
	cJSON_AddNumberToObject(o, "task", v->task);
	add_object(o, d, "object", "object_name", v->object,
		   EXPLORE_OP_NONE);
	if (v->message[0])
		cJSON_AddStringToObject(o, "message", v->message);
	if (v->nr_cycle) {
		cJSON *cycle = cJSON_AddArrayToObject(o, "cycle");

		for (uint32_t i = 0; i < v->nr_cycle && i < 16; i++)
			cJSON_AddItemToArray(cycle,
					     cJSON_CreateNumber(v->cycle[i]));
	}
	if (v->pc)
		add_place(o, d, v->pc, v->kind != CONTROL_VERDICT_CRASH);
	print(f, o);
}

static void print_run(FILE *f, const struct trace *t)
{
	cJSON *o = cJSON_CreateObject();
	cJSON *argv = cJSON_AddArrayToObject(o, "argv");

	for (char **arg = t->argv; arg && *arg; arg++)
		cJSON_AddItemToArray(argv, cJSON_CreateString(*arg));
	cJSON_AddStringToObject(o, "program", t->program ? t->program : "");
	cJSON_AddStringToObject(o, "strategy",
				t->strategy ? t->strategy : "");
	add_u64(o, "seed", t->seed);
	add_u64(o, "run", t->run);
	add_hex(o, "digest", t->digest);
	cJSON_AddNumberToObject(o, "tasks", t->nr_tasks);
	cJSON_AddNumberToObject(o, "events", (double)t->nr_events);
	add_u64(o, "switches", t->nr_switches);
	add_u64(o, "preemptions", t->nr_preemptions);
	cJSON_AddBoolToObject(o, "reproduced", t->has_reproduced);
	print(f, o);
}

void report_dump_json(FILE *f, const struct trace *t, struct symbols *s)
{
	struct describe d;

	describe_init(&d, t, s, NULL, 0);
	fputs("{\"run\":", f);
	print_run(f, t);
	fputs(",\n\"verdict\":", f);
	print_verdict(f, &d, &t->verdict);
	fputs(",\n\"events\":[", f);
	for (uint64_t i = 0; i < t->nr_events && !ferror(f); i++) {
		fputs(i ? ",\n" : "\n", f);
		print_event(f, &d, &t->event[i], i);
	}
	fputs("\n],\n\"notes\":[", f);
	print_notes(f, &d, t);
	fputs("\n]}\n", f);
	describe_release(&d);
}
