/* SPDX-License-Identifier: MIT */
/*
 * names.c - verdicts and operations as text.
 *
 * The names stand in trace.json, so they are part of the trace format: never
 * rename one, nor one of scheduler/operations.c.
 */
#include "recorder/trace.h"
#include "recorder/names.h"

#include "scheduler/operations.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const char *const verdict_names[] = {
	[CONTROL_VERDICT_NONE] = "none",
	[CONTROL_VERDICT_EXIT] = "exit",
	[CONTROL_VERDICT_CRASH] = "crash",
	[CONTROL_VERDICT_ABORT] = "abort",
	[CONTROL_VERDICT_ASSERT] = "assertion",
	[CONTROL_VERDICT_DEADLOCK] = "deadlock",
	[CONTROL_VERDICT_PARTIAL_DEADLOCK] = "partial-deadlock",
	[CONTROL_VERDICT_SELF_DEADLOCK] = "self-deadlock",
	[CONTROL_VERDICT_LIVELOCK] = "livelock",
	[CONTROL_VERDICT_STEP_LIMIT] = "step-limit",
	[CONTROL_VERDICT_MISUSE] = "misuse",
	[CONTROL_VERDICT_FAIL] = "explore-fail",
	[CONTROL_VERDICT_TIMEOUT] = "timeout",
	[CONTROL_VERDICT_RACE] = "data-race",
	[CONTROL_VERDICT_DIVERGED] = "diverged",
	[CONTROL_VERDICT_BAD_PICK] = "bad-pick",
	[CONTROL_VERDICT_INTERNAL] = "internal-error",
	[CONTROL_VERDICT_EXEC] = "exec",
	[CONTROL_VERDICT_WATCH] = "watch",
};

const char *trace_verdict_name(enum control_verdict_kind kind)
{
	const char *name = NULL;

	if ((unsigned int)kind < NR(verdict_names))
		name = verdict_names[kind];
	return name ? name : "unknown";
}

const char *trace_op_name(enum explore_op_kind kind)
{
	return operation_kind((uint16_t)kind)->name;
}
