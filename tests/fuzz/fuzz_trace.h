/* SPDX-License-Identifier: MIT */
/*
 * fuzz_trace.h - one attempt to upset the trace reader; shared by the
 * libFuzzer target and the driver that runs everywhere.
 */
#ifndef TESTS_FUZZ_TRACE_H
#define TESTS_FUZZ_TRACE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Input: a mode byte, then for each of trace.json, decisions and inputs a
 * 16-bit little-endian length and that many bytes (fewer at the end).
 */
enum fuzz_trace_mode {
	FUZZ_VERBATIM = 0,	/* as they are: checksums stand in the way */
	FUZZ_REPAIRED = 1,	/* sizes and checksums made right */
	/* Binary parts are a 16-bit count and a payload, packed first. */
	FUZZ_RAW = 2,
	FUZZ_NR_MODES = 3,
};

/*
 * Write the parts as a trace and read it. Aborts when the reader breaks a
 * promise: fails without a text, leaves something behind, or gives a trace
 * that cannot be written and read again. Returns what trace_read() did.
 */
int fuzz_trace_one(const uint8_t *data, size_t bytes);

#endif /* TESTS_FUZZ_TRACE_H */
