/* SPDX-License-Identifier: MIT */
/*
 * trace_json.c - struct trace to the text of trace.json.
 *
 * 64-bit numbers are strings: JSON readers keep 53 bits. Addresses and digests
 * are hexadecimal. The order of members is fixed.
 */
#include "recorder/internal.h"
#include "recorder/notes.h"
#include "recorder/bytes.h"
#include "recorder/names.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One JSON object under construction; `ok` turns false for good. */
struct writer {
	cJSON *object;
	bool *ok;
};

static void note(const struct writer *w, const void *made)
{
	if (!made)
		*w->ok = false;
}

static void add_text(const struct writer *w, const char *name, const char *s)
{
	note(w, cJSON_AddStringToObject(w->object, name, s ? s : ""));
}

static void add_bounded(const struct writer *w, const char *name,
			const char *s, size_t room)
{
	char *copy = strndup(s, room);

	note(w, copy);
	add_text(w, name, copy);
	free(copy);
}

static void add_number(const struct writer *w, const char *name, double v)
{
	note(w, cJSON_AddNumberToObject(w->object, name, v));
}

static void add_u64(const struct writer *w, const char *name, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	add_text(w, name, text);
}

static void add_hex(const struct writer *w, const char *name, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	add_text(w, name, text);
}

static struct writer add_object(const struct writer *w, const char *name)
{
	struct writer child = {
		.object = cJSON_AddObjectToObject(w->object, name),
		.ok = w->ok,
	};

	note(w, child.object);
	return child;
}

/* A NULL list becomes null, which is not the empty list. */
static void add_list(const struct writer *w, const char *name, char **list)
{
	cJSON *array;

	if (!list) {
		note(w, cJSON_AddNullToObject(w->object, name));
		return;
	}
	array = cJSON_AddArrayToObject(w->object, name);
	note(w, array);
	for (; *list; list++)
		if (!cJSON_AddItemToArray(array, cJSON_CreateString(*list)))
			*w->ok = false;
}

static void add_verdict(const struct writer *parent,
			const struct control_verdict *v)
{
	struct writer w = add_object(parent, "verdict");
	uint32_t nr = v->nr_cycle < 16 ? v->nr_cycle : 16;
	cJSON *cycle;

	add_text(&w, "kind", trace_verdict_name(v->kind));
	add_number(&w, "code", v->code);
	add_number(&w, "task", v->task);
	add_number(&w, "object", v->object);
	add_hex(&w, "pc", v->pc);
	add_hex(&w, "address", v->addr);
	add_u64(&w, "step", v->step);
	cycle = cJSON_AddArrayToObject(w.object, "cycle");
	note(&w, cycle);
	for (uint32_t i = 0; i < nr; i++)
		if (!cJSON_AddItemToArray(cycle,
					  cJSON_CreateNumber(v->cycle[i])))
			*w.ok = false;
	add_bounded(&w, "message", v->message, sizeof(v->message));
}

static void add_statistics(const struct writer *parent, const struct trace *t)
{
	struct writer w = add_object(parent, "statistics");
	struct writer ops;
	char unnamed[16];

	add_number(&w, "tasks", t->nr_tasks);
	add_u64(&w, "events", t->nr_events);
	add_u64(&w, "preemptions", t->nr_preemptions);
	add_u64(&w, "switches", t->nr_switches);
	ops = add_object(&w, "operations");
	for (uint32_t i = 0; i < EXPLORE_OP_NR; i++) {
		const char *name = trace_op_name(i);

		if (!t->nr_ops[i])
			continue;
		if (!strcmp(name, "unknown")) {
			snprintf(unnamed, sizeof(unnamed), "#%u", i);
			name = unnamed;
		}
		add_u64(&ops, name, t->nr_ops[i]);
	}
}

static void add_config(const struct writer *parent,
		       const struct control_config *c)
{
	struct writer w = add_object(parent, "config");

	add_u64(&w, "seed", c->seed);
	add_u64(&w, "run", c->run);
	add_u64(&w, "realtime_ns", c->realtime_ns);
	add_u64(&w, "max_steps", c->scheduler.max_steps);
	add_u64(&w, "op_cost_ns", c->scheduler.op_cost_ns);
	add_u64(&w, "slack_ns", c->scheduler.slack_ns);
	add_u64(&w, "start_ns", c->scheduler.start_ns);
	add_number(&w, "wake_any", c->scheduler.wake_any);
	add_number(&w, "flags", c->flags);
	add_number(&w, "virtual_pid", c->virtual_pid);
	add_u64(&w, "nr_script", c->nr_script);
	add_u64(&w, "script_input_bytes", c->script_input_bytes);
	add_u64(&w, "strategy_bytes", c->strategy_bytes);
	add_number(&w, "clock", c->clock.kind);
	add_number(&w, "clock_margin", c->clock.margin);
	add_number(&w, "clock_skid", c->clock.skid);
	add_u64(&w, "clock_event", c->clock.event);
	add_bounded(&w, "strategy", c->strategy, sizeof(c->strategy));
	add_bounded(&w, "plugin", c->plugin, sizeof(c->plugin));
}

static void add_modules(const struct writer *parent, const struct trace *t)
{
	cJSON *array = cJSON_AddArrayToObject(parent->object, "modules");

	note(parent, array);
	for (uint32_t i = 0; i < t->nr_modules; i++) {
		const struct trace_module *m = &t->module[i];
		struct writer w = {
			.object = cJSON_CreateObject(), .ok = parent->ok,
		};

		note(&w, w.object);
		add_text(&w, "path", m->path);
		add_text(&w, "build_id", m->build_id);
		add_hex(&w, "start", m->start);
		add_hex(&w, "end", m->end);
		add_hex(&w, "bias", m->bias);
		note(&w, cJSON_AddBoolToObject(w.object, "is_watched",
					       m->is_watched));
		add_number(&w, "order_only", m->order_only);
		if (!cJSON_AddItemToArray(array, w.object)) {
			cJSON_Delete(w.object);
			*w.ok = false;
		}
	}
}

static uint32_t module_of(const struct trace *t, uint64_t addr)
{
	uint32_t i;

	for (i = 0; i < t->nr_modules; i++)
		if (addr >= t->module[i].start && addr < t->module[i].end)
			break;
	return i;
}

/*
 * By module and address in its file: "0+0x1234"; `tail` behind it. What lies in
 * no module is left out.
 */
static void add_site(const struct writer *parent, cJSON *array,
		     const struct trace *t, uint64_t addr, const char *tail)
{
	uint32_t m = module_of(t, addr);
	char text[64];
	cJSON *item;

	if (m == t->nr_modules)
		return;
	snprintf(text, sizeof(text), "%" PRIu32 "+0x%" PRIx64 "%s", m,
		 addr - t->module[m].bias, tail);
	item = cJSON_CreateString(text);
	if (!item || !cJSON_AddItemToArray(array, item)) {
		cJSON_Delete(item);
		*parent->ok = false;
	}
}

static void add_live_sites(const struct writer *parent, const struct trace *t)
{
	cJSON *array = cJSON_AddArrayToObject(parent->object, "live_sites");

	note(parent, array);
	for (uint32_t i = 0; i < t->nr_live_sites; i++)
		add_site(parent, array, t, t->live_site[i], "");
}

/* "0+0x1234=3": the same, and the state. */
static void add_site_states(const struct writer *parent, const struct trace *t)
{
	cJSON *array;
	char tail[16];

	if (!t->site) {
		note(parent, cJSON_AddNullToObject(parent->object,
						   "site_states"));
		return;
	}
	array = cJSON_AddArrayToObject(parent->object, "site_states");
	note(parent, array);
	for (uint32_t i = 0; i < t->nr_sites; i++) {
		snprintf(tail, sizeof(tail), "=%" PRIu32, t->site[i].state);
		add_site(parent, array, t, t->site[i].addr, tail);
	}
}

static void add_part(const struct writer *parent, const char *name,
		     const struct format_part *part)
{
	struct writer w = add_object(parent, name);

	add_u64(&w, "bytes", part->bytes);
	add_hex(&w, "checksum", part->checksum);
}

static void add_all(const struct writer *w, const struct trace *t,
		    const struct format_parts *parts)
{
	struct writer files;

	add_text(w, "format", FORMAT_NAME);
	add_number(w, "version", TRACE_FORMAT_VERSION);
	add_text(w, "tool_version", t->tool_version);
	add_text(w, "program", t->program);
	add_list(w, "argv", t->argv);
	add_list(w, "env", t->env);
	add_text(w, "cwd", t->cwd);
	if (t->stdin_path)
		add_text(w, "stdin", t->stdin_path);
	else
		note(w, cJSON_AddNullToObject(w->object, "stdin"));
	add_text(w, "strategy", t->strategy);
	add_u64(w, "seed", t->seed);
	add_u64(w, "run", t->run);
	add_verdict(w, &t->verdict);
	note(w, cJSON_AddBoolToObject(w->object, "has_reproduced",
				      t->has_reproduced));
	add_hex(w, "digest", t->digest);
	add_statistics(w, t);
	add_list(w, "ok_exit", t->ok_exit);
	add_config(w, &t->config);
	add_modules(w, t);
	add_live_sites(w, t);
	add_site_states(w, t);
	if (t->nr_notes && !recorder__print_notes(w->object, t))
		*w->ok = false;
	files = add_object(w, "files");
	add_part(&files, FORMAT_DECISIONS_FILE, &parts->decisions);
	add_part(&files, FORMAT_INPUTS_FILE, &parts->inputs);
	if (parts->values.bytes)
		add_part(&files, FORMAT_VALUES_FILE, &parts->values);
}

int recorder__print_json(const struct trace *t,
			 const struct format_parts *parts,
			 struct recorder_bytes *out)
{
	bool ok = true;
	struct writer w = { .object = cJSON_CreateObject(), .ok = &ok };
	char *text = NULL;
	char tail[64];
	size_t bytes;

	note(&w, w.object);
	add_all(&w, t, parts);
	if (ok)
		text = cJSON_Print(w.object);
	cJSON_Delete(w.object);
	if (!text)
		return -ENOMEM;
	/* The tail takes the place of the closing newline and brace. */
	bytes = strlen(text) - 2;
	recorder__append(out, text, bytes);
	snprintf(tail, sizeof(tail), FORMAT_JSON_TAIL,
		 format_checksum(FORMAT_CHECKSUM_INIT, text, bytes));
	recorder__append(out, tail, strlen(tail));
	cJSON_free(text);
	return out->has_failed ? -ENOMEM : 0;
}
