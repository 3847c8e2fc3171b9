/* SPDX-License-Identifier: MIT */
/*
 * pack.c - a payload to a whole binary part: header, zstd frame, checksums.
 */
#include "recorder/internal.h"
#include "recorder/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/*
 * Level and flags are fixed: equal searches must write equal bytes. zstd's own
 * content checksum is on so that `zstd -t` can judge an extracted frame.
 */
static size_t compress(void *to, size_t room, const void *raw, size_t bytes)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	size_t stored = 0;

	if (!zstd)
		return 0;
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel,
			       FORMAT_ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
	stored = ZSTD_compress2(zstd, to, room, raw, bytes);
	ZSTD_freeCCtx(zstd);
	return ZSTD_isError(stored) ? 0 : stored;
}

int recorder__pack(struct recorder_bytes *out, const char *magic,
		   uint64_t count, const void *raw, size_t raw_bytes)
{
	size_t room = FORMAT_HEADER_BYTES + ZSTD_compressBound(raw_bytes);
	uint8_t *data = malloc(room);
	size_t stored;
	uint64_t sum;

	if (!data)
		return -ENOMEM;
	stored = compress(data + FORMAT_HEADER_BYTES,
			  room - FORMAT_HEADER_BYTES, raw, raw_bytes);
	if (!stored) {	/* the room is enough, so it was memory */
		free(data);
		return -ENOMEM;
	}
	memcpy(data, magic, 8);
	format_put(data + 8, TRACE_FORMAT_VERSION, 4);
	format_put(data + 12, 0, 4);
	format_put(data + 16, count, 8);
	format_put(data + 24, raw_bytes, 8);
	format_put(data + 32, stored, 8);
	format_put(data + 40, format_checksum(FORMAT_CHECKSUM_INIT, raw,
					      raw_bytes), 8);
	sum = format_checksum(FORMAT_CHECKSUM_INIT, data, 48);
	sum = format_checksum(sum, data + FORMAT_HEADER_BYTES, stored);
	format_put(data + 48, sum, 8);
	out->data = data;
	out->nr = FORMAT_HEADER_BYTES + stored;
	out->capacity = room;
	return 0;
}
