/* SPDX-License-Identifier: MIT */
/*
 * dump.h - the schedule of a trace, operation by operation.
 */
#ifndef EXPLORER_REPORT_DUMP_H
#define EXPLORER_REPORT_DUMP_H

#include "explorer/report/report.h"

/* The schedule, operation by operation; text or JSON (explore dump). */
void report_dump(FILE *f, const struct trace *t, struct symbols *s);
void report_dump_json(FILE *f, const struct trace *t, struct symbols *s);

#endif /* EXPLORER_REPORT_DUMP_H */
