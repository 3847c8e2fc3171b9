/* SPDX-License-Identifier: MIT */
/*
 * note_rows.c - the rows of a schedule for what is no operation.
 */
#include "explorer/report/note_rows.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "explorer/target/notes.h"

/* Files that the dynamic linker opens are nobody's business. */
static bool is_linker(struct describe *d, uint64_t pc)
{
	struct symbol symbol;

	symbols_find(d->symbols, pc, true, &symbol);
	return symbol.module && !strncmp(path_base(symbol.module), "ld-", 3);
}

bool note_rows_has(struct describe *d, const struct control_note *n)
{
	if (n->is_of_op || n->kind == CONTROL_NOTE_CHILD)
		return false;
	return n->kind != CONTROL_NOTE_CALL || !is_linker(d, n->addr);
}

const struct control_note *note_rows_find(struct describe *d, uint64_t step,
				     uint32_t i)
{
	const struct trace *t = d->trace;

	for (uint32_t k = notes_first(t, step);
	     k < t->nr_notes && t->note[k].step == step; k++)
		if (note_rows_has(d, &t->note[k]) && !i--)
			return &t->note[k];
	return NULL;
}

/* Who asked for the cancellation last; UINT32_MAX: nobody known. */
static uint32_t canceller(const struct describe *d, uint32_t task,
			  uint64_t step)
{
	const struct trace *t = d->trace;

	for (uint64_t i = step; i > 0; i--) {
		const struct sched_event *e = &t->event[i - 1];
		uint64_t id;

		if (e->kind == EXPLORE_OP_THREAD_CANCEL &&
		    describe_address(d, e->object, &id) && id == task)
			return e->task;
	}
	return UINT32_MAX;
}

void note_rows_describe(struct describe *d, const struct control_note *n,
		    char *text, size_t bytes)
{
	char name[DESCRIBE_BYTES], call[32];
	uint32_t by;

	switch (n->kind) {
	case CONTROL_NOTE_CALL:
		notes_call_name(n->number, call, sizeof(call));
		notes_describe_fd(n, name, sizeof(name));
		snprintf(text, bytes, "%s %s", call, name);
		break;
	case CONTROL_NOTE_CANCELLED:
		by = canceller(d, n->task, n->step);
		if (by == UINT32_MAX)
			snprintf(text, bytes, "acts on a cancellation");
		else
			snprintf(text, bytes, "acts on cancellation by T%u",
				 by);
		break;
	case CONTROL_NOTE_HELD:
		describe_object(d, n->object, EXPLORE_OP_NONE, name,
				sizeof(name));
		snprintf(text, bytes, "the child gets %s, held by T%u", name,
			 n->other);
		break;
	default:
		snprintf(text, bytes, "%s", notes_kind_name(n->kind));
	}
}
