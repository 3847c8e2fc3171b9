/* SPDX-License-Identifier: MIT */
/*
 * notes.c - the notes of a run to JSON, for trace.json.
 *
 * Only what a kind uses is there: 0 and the empty text are left out.
 */
#include "recorder/internal.h"
#include "recorder/notes.h"

#include <cjson/cJSON.h>
#include <stdio.h>

static bool add_number(cJSON *o, const char *name, double v)
{
	return !v || cJSON_AddNumberToObject(o, name, v);
}

static bool add_address(cJSON *o, const char *name, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	return !v || cJSON_AddStringToObject(o, name, text);
}

static bool add_members(cJSON *o, const struct control_note *n)
{
	return cJSON_AddNumberToObject(o, "kind", n->kind) &&
	       cJSON_AddNumberToObject(o, "step", (double)n->step) &&
	       cJSON_AddNumberToObject(o, "task", n->task) &&
	       add_number(o, "of_op", n->is_of_op) &&
	       add_number(o, "other", n->other) &&
	       add_number(o, "object", n->object) &&
	       add_number(o, "number", n->number) &&
	       add_number(o, "fd", n->fd) && add_address(o, "pc", n->pc) &&
	       add_address(o, "address", n->addr) &&
	       add_address(o, "block_pc", n->block_pc) &&
	       (!n->text[0] || cJSON_AddStringToObject(o, "text", n->text));
}

bool recorder__print_notes(struct cJSON *trace, const struct trace *t)
{
	cJSON *array = cJSON_AddArrayToObject(trace, FORMAT_NOTES);

	for (uint32_t i = 0; array && i < t->nr_notes; i++) {
		cJSON *o = cJSON_CreateObject();

		if (!o || !add_members(o, &t->note[i]) ||
		    !cJSON_AddItemToArray(array, o)) {
			cJSON_Delete(o);
			return false;
		}
	}
	return array;
}
