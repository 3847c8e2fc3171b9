/* SPDX-License-Identifier: MIT */
/*
 * load.h - the files of a trace, in memory; what is wrong with them.
 */
#ifndef REPLAYER_LOAD_H
#define REPLAYER_LOAD_H

#include "replayer/internal.h"

/*
 * Read a whole regular file of at most `max` bytes. `data` is NULL on failure,
 * and `err` filled.
 */
int replayer__load(struct replayer_file *file, size_t max,
		   struct errbuf *err);

/*
 * Check a binary part against its header and what trace.json says, and
 * decompress it into *raw (malloc'd, never NULL on success).
 */
int replayer__unpack(const struct replayer_file *file, const char *magic,
		     const struct format_part *part, uint64_t count,
		     uint8_t **raw, size_t *raw_bytes, struct errbuf *err);

/* Say that the file is damaged and how; returns TRACE_E_CORRUPT. */
int replayer__corrupt(struct errbuf *err, const char *path, const char *why);

/* Say that the file is too new; returns TRACE_E_VERSION. */
int replayer__newer(struct errbuf *err, const char *path, uint64_t version);

#endif /* REPLAYER_LOAD_H */
