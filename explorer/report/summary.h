/* SPDX-License-Identifier: MIT */
/*
 * summary.h - what a search has come to, and the data races that it saw.
 */
#ifndef EXPLORER_REPORT_SUMMARY_H
#define EXPLORER_REPORT_SUMMARY_H

#include "explorer/report/report.h"

/*
 * report_races.c: print what the log has, once per pair of lines, by the number
 * of the run.
 */
void report_races(FILE *f, const struct race_log *log, struct symbols *symbols,
		  const struct access_scope *scope);

/*
 * What was raced for: "'counter'", "a heap block of 32 bytes allocated at f()
 * x.c:12, offset 8".
 */
void report_race_subject(struct symbols *symbols, const struct control_race *r,
			 char *text, size_t bytes);

/*
 * summary.c: what was tried, how far that goes, what was out of control, what
 * was watched and raced.
 */
void summary_print(FILE *f, const struct search_end *end);

/* What the guard refused, a line for each kind of call. */
void refusals_print(FILE *f, const struct control_counters *c,
		    const struct trace_module *module, uint32_t nr_modules,
		    struct symbols *symbols);

#endif /* EXPLORER_REPORT_SUMMARY_H */
