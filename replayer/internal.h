/* SPDX-License-Identifier: MIT */
/*
 * internal.h - for the .c files of replayer/ only.
 */
#ifndef REPLAYER_INTERNAL_H
#define REPLAYER_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "recorder/format.h"

/* A file of the trace, in memory. free(data) releases it. */
struct replayer_file {
	char *path;		/* for messages; borrowed */
	uint8_t *data;		/* with a NUL behind the last byte */
	size_t bytes;
};

/*
 * Check the text of trace.json and fill all of `t` but event, input and value
 * (the number of events is set). Returns 0, -ENOMEM or enum trace_error; then
 * `t` may be half filled, and the caller releases it.
 */
int replayer__parse_json(struct trace *t, const struct replayer_file *file,
			 struct format_parts *parts, struct errbuf *err);

/*
 * The payload of `decisions`, as of that version of the format, to t->event,
 * which has room for t->nr_events, and to t->object. Returns 0, -ENOMEM or
 * TRACE_E_CORRUPT.
 */
int replayer__decode_decisions(struct trace *t, uint64_t version,
			       const uint8_t *raw, size_t bytes);

/*
 * The payload of `values`, `nr` of them, to t->value; t->event is there
 * already. Returns 0, -ENOMEM or TRACE_E_CORRUPT.
 */
int replayer__decode_values(struct trace *t, uint64_t nr, const uint8_t *raw,
			    size_t bytes);

struct cJSON;

#endif /* REPLAYER_INTERNAL_H */
