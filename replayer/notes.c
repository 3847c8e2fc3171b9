/* SPDX-License-Identifier: MIT */
/*
 * notes.c - the notes of a run from trace.json.
 *
 * Members of a note that are missing are 0; what is there must fit.
 */
#include "replayer/internal.h"
#include "replayer/notes.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const cJSON *object;
	bool is_bad;
};

static double get_number(struct reader *r, const char *name, double least,
			 double most)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->object, name);

	if (!item)
		return 0;
	if (cJSON_IsNumber(item) && item->valuedouble >= least &&
	    item->valuedouble <= most)
		return item->valuedouble;
	r->is_bad = true;
	return 0;
}

static uint64_t get_address(struct reader *r, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->object, name);
	const char *text = cJSON_GetStringValue(item);
	char *end = NULL;
	uint64_t v;

	if (!item)
		return 0;
	v = text && !strncmp(text, "0x", 2) ? strtoull(text + 2, &end, 16) : 0;
	if (!end || *end)
		r->is_bad = true;
	return v;
}

static void get_text(struct reader *r, struct control_note *n)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->object, "text");
	const char *text = cJSON_GetStringValue(item);

	if (!item)
		return;
	if (text && strlen(text) < sizeof(n->text))
		memcpy(n->text, text, strlen(text) + 1);
	else
		r->is_bad = true;
}

static bool get_note(const cJSON *object, const struct trace *t,
		     struct control_note *n)
{
	struct reader r = { .object = object };

	n->kind = (uint8_t)get_number(&r, "kind", 1, CONTROL_NOTE_NR - 1);
	n->step = (uint64_t)get_number(&r, "step", 0, CONTROL_MAX_STEPS);
	n->task = (uint32_t)get_number(&r, "task", 0, SCHED_MAX_TASKS - 1);
	n->is_of_op = (uint8_t)get_number(&r, "of_op", 0, 1);
	n->other = (uint32_t)get_number(&r, "other", 0, SCHED_MAX_TASKS - 1);
	n->object = (uint32_t)get_number(&r, "object", 0, SCHED_MAX_OBJECTS);
	n->number = (int32_t)get_number(&r, "number", INT32_MIN, INT32_MAX);
	n->fd = (int32_t)get_number(&r, "fd", INT32_MIN, INT32_MAX);
	n->pc = get_address(&r, "pc");
	n->addr = get_address(&r, "address");
	n->block_pc = get_address(&r, "block_pc");
	get_text(&r, n);
	return cJSON_IsObject(object) && !r.is_bad && n->kind &&
	       n->step + n->is_of_op <= t->nr_events;
}

int replayer__parse_notes(const struct cJSON *trace, struct trace *t)
{
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(trace,
							      FORMAT_NOTES);
	int nr = cJSON_IsArray(array) ? cJSON_GetArraySize(array) : -1;
	const cJSON *item;

	/* The tool may add some to those of the run. */
	if (nr < 0 || nr > 2 * (int)CONTROL_MAX_NOTES)
		return TRACE_E_CORRUPT;
	t->note = calloc((size_t)nr + 1, sizeof(*t->note));
	if (!t->note)
		return -ENOMEM;
	cJSON_ArrayForEach(item, array) {
		struct control_note *n = &t->note[t->nr_notes];

		if (!get_note(item, t, n) ||
		    (t->nr_notes && n->step < n[-1].step))
			return TRACE_E_CORRUPT;
		t->nr_notes++;
	}
	return 0;
}
