/* SPDX-License-Identifier: MIT */
/*
 * notes.h - the payload of the notes of a run.
 */
#ifndef RECORDER_NOTES_H
#define RECORDER_NOTES_H

#include "recorder/internal.h"

/* Add the notes to the object that becomes trace.json; false: no memory. */
bool recorder__print_notes(struct cJSON *trace, const struct trace *t);

#endif /* RECORDER_NOTES_H */
