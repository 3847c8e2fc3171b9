/* SPDX-License-Identifier: MIT */
/*
 * names.h - verdicts and operations as text, and back.
 */
#ifndef RECORDER_NAMES_H
#define RECORDER_NAMES_H

#include "recorder/trace.h"

/* Names used in trace.json and reports: "deadlock", "mutex-lock", ... */
const char *trace_verdict_name(enum control_verdict_kind kind);
const char *trace_op_name(enum explore_op_kind kind);

#endif /* RECORDER_NAMES_H */
