/* SPDX-License-Identifier: MIT */
/*
 * notes.h - what happened in a run beside its operations.
 */
#ifndef EXPLORER_TARGET_NOTES_H
#define EXPLORER_TARGET_NOTES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "preload/region/control.h"
#include "recorder/trace.h"

/*
 * Copy what the runtime noted to t->note, in order; t->event is there. The
 * numbers of processes become how many were made before, and they.
 */
void notes_take(struct trace *t, const struct control *c);

/*
 * children.c: what the child processes of the run are at, as further notes.
 * Context: the run stands still.
 */
void notes_add_children(struct control *c, pid_t run);

/* The first note of that step, or of a later one; may be their number. */
uint32_t notes_first(const struct trace *t, uint64_t step);

/* The note of that kind on operation `step`, or NULL. */
const struct control_note *notes_of_op(const struct trace *t, uint64_t step,
				       enum control_note_kind kind);

/* "3 (/tmp/x)", or "fd 3". */
void notes_describe_fd(const struct control_note *n, char *text, size_t bytes);

/* "close", "read"; "call" when it has no name here. */
void notes_call_name(int32_t number, char *text, size_t bytes);

/* "cancelled", "call" ...: for JSON. */
const char *notes_kind_name(uint8_t kind);

#endif /* EXPLORER_TARGET_NOTES_H */
