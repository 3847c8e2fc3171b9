/* SPDX-License-Identifier: MIT */
/*
 * notes.h - the payload of the notes of a run.
 */
#ifndef REPLAYER_NOTES_H
#define REPLAYER_NOTES_H

#include "replayer/internal.h"

/*
 * The notes of trace.json to t->note; t->nr_events is there already. Returns
 * 0, -ENOMEM or TRACE_E_CORRUPT.
 */
int replayer__parse_notes(const struct cJSON *trace, struct trace *t);

#endif /* REPLAYER_NOTES_H */
