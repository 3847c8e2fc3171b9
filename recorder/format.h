/* SPDX-License-Identifier: MIT */
/*
 * format.h - the bytes of a trace directory, shared by writer and reader.
 *
 * Not for anyone else: users of traces include trace.h. docs/TRACE_FORMAT.md
 * says the same in prose; change both together, and TRACE_FORMAT_VERSION when
 * an older reader would misread the result.
 *
 * Frozen for all versions, so that any reader can tell "newer" from "damaged":
 * - the last member of trace.json is `checksum`, printed exactly as
 *   FORMAT_JSON_TAIL, over all bytes before it;
 * - a binary part starts with the FORMAT_HEADER_BYTES below.
 */
#ifndef RECORDER_FORMAT_H
#define RECORDER_FORMAT_H

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/trace.h"

#define FORMAT_NAME "explore-trace"
#define FORMAT_JSON_FILE "trace.json"
#define FORMAT_DECISIONS_FILE "decisions"
#define FORMAT_INPUTS_FILE "inputs"
/* In trace.json; only where there are some. */
#define FORMAT_NOTES "notes"

#define FORMAT_VALUES_FILE "values"	/* only where there are some */

/* What ends trace.json; printf with the checksum of everything before. */
#define FORMAT_JSON_TAIL ",\n\t\"checksum\":\t\"%016" PRIx64 "\"\n}\n"
#define FORMAT_JSON_MAX_BYTES (64u << 20)

#define FORMAT_DECISIONS_MAGIC "EXPLDECS"
#define FORMAT_INPUTS_MAGIC "EXPLINPT"
#define FORMAT_VALUES_MAGIC "EXPLVALS"

/*
 * A binary part, all integers little-endian:
 *	 0	magic, 8 bytes
 *	 8	u32 version
 *	12	u32 flags, 0
 *	16	u64 count: events, bytes of input, or values
 *	24	u64 raw: bytes of the payload when decompressed
 *	32	u64 stored: bytes of the zstd frame that follows the header
 *	40	u64 checksum of the raw payload
 *	48	u64 checksum of bytes 0 to 47 and of the stored payload
 *	56	one zstd frame
 */
#define FORMAT_HEADER_BYTES 56u
#define FORMAT_ZSTD_LEVEL 3

/* An event has 4 single bytes, 9 varints and a 4-byte digest. */
#define FORMAT_EVENT_MIN_BYTES 16u	/* version 1: without ticks */
#define FORMAT_EVENT_MAX_BYTES 72u
/* An object has 1 single byte and 4 varints. */
#define FORMAT_OBJECT_MAX_BYTES 32u
/* A value has 1 single byte, 5 to 9 varints and up to 32 bytes. */
#define FORMAT_VALUE_MIN_BYTES 6u
#define FORMAT_VALUE_MAX_BYTES 128u
/* A zstd block of at least 4 bytes makes at most 128 KiB. */
#define FORMAT_MAX_RATIO 32768u

#define FORMAT_MAX_MODULES 65536u

/*
 * 64-bit FNV-1a. Each step is a bijection of the state, so two inputs of the
 * same length that differ in one byte never have the same sum. It guards
 * against damage, not against forgery.
 */
#define FORMAT_CHECKSUM_INIT 0xcbf29ce484222325ull

static inline uint64_t format_checksum(uint64_t sum, const void *data,
				       size_t bytes)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < bytes; i++)
		sum = (sum ^ p[i]) * 0x100000001b3ull;
	return sum;
}

static inline void format_put(uint8_t *p, uint64_t v, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static inline uint64_t format_get(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

/* Small magnitudes of either sign become small numbers. */
static inline uint64_t format_zigzag(uint64_t v)
{
	return (v << 1) ^ (0 - (v >> 63));
}

static inline uint64_t format_unzigzag(uint64_t v)
{
	return (v >> 1) ^ (0 - (v & 1));
}

/* What trace.json says about a binary part. */
struct format_part {
	uint64_t bytes;		/* of the whole file */
	uint64_t checksum;	/* of the whole file */
};

/* All of them; `values` has 0 bytes when there is no such file. */
struct format_parts {
	struct format_part decisions, inputs, values;
};

#endif /* RECORDER_FORMAT_H */
