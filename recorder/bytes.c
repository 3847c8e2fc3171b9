/* SPDX-License-Identifier: MIT */
/*
 * bytes.c - a growing byte string.
 */
#include "recorder/internal.h"
#include "recorder/bytes.h"

#include <stdlib.h>
#include <string.h>

/* Make room for `nr` more bytes; false and has_failed when there is none. */
static bool reserve(struct recorder_bytes *b, size_t nr)
{
	size_t capacity = b->capacity ? b->capacity : 4096;
	uint8_t *data;

	if (b->has_failed)
		return false;
	if (nr <= b->capacity - b->nr)
		return true;
	while (capacity - b->nr < nr)
		capacity *= 2;
	data = realloc(b->data, capacity);
	if (!data) {
		b->has_failed = true;
		return false;
	}
	b->data = data;
	b->capacity = capacity;
	return true;
}

void recorder__append(struct recorder_bytes *b, const void *data, size_t nr)
{
	if (!nr || !reserve(b, nr))
		return;
	memcpy(b->data + b->nr, data, nr);
	b->nr += nr;
}

void recorder__append_varint(struct recorder_bytes *b, uint64_t v)
{
	if (!reserve(b, 10))
		return;
	while (v >= 0x80) {
		b->data[b->nr++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	b->data[b->nr++] = (uint8_t)v;
}
