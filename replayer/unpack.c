/* SPDX-License-Identifier: MIT */
/*
 * unpack.c - a binary part of a trace: check the header, decompress.
 *
 * Nothing is allocated on the word of a header that its checksum does not
 * confirm, nor more than the stored bytes could possibly expand to.
 */
#include "replayer/internal.h"
#include "replayer/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

struct header {
	uint64_t count, raw, stored, raw_sum;
};

static const char *check_header(const struct replayer_file *file,
				const struct format_part *part,
				uint64_t count, struct header *h)
{
	const uint8_t *p = file->data;
	uint64_t sum;

	h->count = format_get(p + 16, 8);
	h->raw = format_get(p + 24, 8);
	h->stored = format_get(p + 32, 8);
	h->raw_sum = format_get(p + 40, 8);
	if (h->stored != file->bytes - FORMAT_HEADER_BYTES)
		return "its size is not what its header says";
	sum = format_checksum(FORMAT_CHECKSUM_INIT, p, 48);
	sum = format_checksum(sum, p + FORMAT_HEADER_BYTES, h->stored);
	if (sum != format_get(p + 48, 8))
		return "its checksum does not match";
	if (format_get(p + 8, 4) > TRACE_FORMAT_VERSION)
		return NULL;	/* sound, and not ours to judge further */
	if (format_get(p + 8, 4) == 0 || format_get(p + 12, 4))
		return "its header is invalid";
	if (part->bytes != file->bytes || h->count != count ||
	    part->checksum != format_checksum(FORMAT_CHECKSUM_INIT, p,
					      file->bytes))
		return "it does not belong to this trace.json";
	if (h->raw / FORMAT_MAX_RATIO > h->stored)
		return "its header claims too much data";
	return NULL;
}

static int decompress(const struct replayer_file *file,
		      const struct header *h, uint8_t *raw,
		      struct errbuf *err)
{
	const uint8_t *frame = file->data + FORMAT_HEADER_BYTES;
	size_t n;

	if (ZSTD_getFrameContentSize(frame, h->stored) != h->raw)
		return replayer__corrupt(err, file->path,
					 "its data has the wrong size");
	n = ZSTD_decompress(raw, h->raw, frame, h->stored);
	if (ZSTD_isError(n))
		return replayer__corrupt(err, file->path,
					 ZSTD_getErrorName(n));
	if (n != h->raw || format_checksum(FORMAT_CHECKSUM_INIT, raw, n) !=
	    h->raw_sum)
		return replayer__corrupt(err, file->path,
					 "its data has the wrong checksum");
	return 0;
}

int replayer__unpack(const struct replayer_file *file, const char *magic,
		     const struct format_part *part, uint64_t count,
		     uint8_t **raw, size_t *raw_bytes, struct errbuf *err)
{
	struct header h;
	const char *why;
	uint64_t version;
	uint8_t *data;
	int ret;

	if (file->bytes < FORMAT_HEADER_BYTES)
		return replayer__corrupt(err, file->path, "it is truncated");
	if (memcmp(file->data, magic, 8))
		return replayer__corrupt(err, file->path,
					 "it does not start as it should");
	why = check_header(file, part, count, &h);
	if (why)
		return replayer__corrupt(err, file->path, why);
	version = format_get(file->data + 8, 4);
	if (version > TRACE_FORMAT_VERSION)
		return replayer__newer(err, file->path, version);
	data = malloc(h.raw + 1);
	if (!data) {
		errbuf_addf(err, "cannot read '%s': %s", file->path,
			    strerror(ENOMEM));
		return -ENOMEM;
	}
	ret = decompress(file, &h, data, err);
	if (ret) {
		free(data);
		return ret;
	}
	*raw = data;
	*raw_bytes = h.raw;
	return 0;
}
