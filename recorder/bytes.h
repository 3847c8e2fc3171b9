/* SPDX-License-Identifier: MIT */
/*
 * bytes.h - growing byte strings, and the binary files made of them.
 */
#ifndef RECORDER_BYTES_H
#define RECORDER_BYTES_H

#include "recorder/internal.h"

void recorder__append(struct recorder_bytes *b, const void *data, size_t nr);
void recorder__append_varint(struct recorder_bytes *b, uint64_t v);

/*
 * A whole binary file: header and compressed payload, appended to the empty
 * `out`. Returns 0 or -ENOMEM.
 */
int recorder__pack(struct recorder_bytes *out, const char *magic,
		   uint64_t count, const void *raw, size_t raw_bytes);

#endif /* RECORDER_BYTES_H */
