/* SPDX-License-Identifier: MIT */
/*
 * note_rows.h - the rows of a schedule for what is no operation.
 */
#ifndef EXPLORER_REPORT_NOTE_ROWS_H
#define EXPLORER_REPORT_NOTE_ROWS_H

#include "explorer/report/describe.h"

/* Whether it has a row of its own in a schedule. */
bool note_rows_has(struct describe *d, const struct control_note *n);

/*
 * The i-th note that has a row of its own before operation `step` (behind the
 * last one, when it is their number), or NULL.
 */
const struct control_note *note_rows_find(struct describe *d, uint64_t step,
				     uint32_t i);

/* What such a row says: "open 3 (/tmp/x)". */
void note_rows_describe(struct describe *d, const struct control_note *n,
		    char *text, size_t bytes);

#endif /* EXPLORER_REPORT_NOTE_ROWS_H */
