/* SPDX-License-Identifier: MIT */
/*
 * internal.h - for the .c files of recorder/ only.
 */
#ifndef RECORDER_INTERNAL_H
#define RECORDER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/format.h"

/* A growing byte string. Starts as { 0 }; free(data) releases it. */
struct recorder_bytes {
	uint8_t *data;
	size_t nr, capacity;
	bool has_failed;	/* out of memory: contents are incomplete */
};

/* The payload of `decisions`. Returns 0 or -ENOMEM. */
int recorder__encode_decisions(const struct trace *t,
			       struct recorder_bytes *out);

/* An address as its module and the address in that file; guess in *module. */
void recorder__append_address(const struct trace *t, uint64_t addr,
			      uint32_t *module, struct recorder_bytes *out);

/* The payload of `values`. Returns 0 or -ENOMEM. */
int recorder__encode_values(const struct trace *t, struct recorder_bytes *out);

struct cJSON;

/* The text of trace.json. Returns 0 or -ENOMEM. */
int recorder__print_json(const struct trace *t,
			 const struct format_parts *parts,
			 struct recorder_bytes *out);

#endif /* RECORDER_INTERNAL_H */
