/* SPDX-License-Identifier: MIT */
/*
 * cursor.h - taking integers out of a payload, for decisions.c and values.c
 * only.
 */
#ifndef REPLAYER_CURSOR_H
#define REPLAYER_CURSOR_H

#include <stdbool.h>

#include "replayer/internal.h"

/* What is left to read. Running out is remembered and gives zeros. */
struct cursor {
	const uint8_t *p, *end;
	bool has_failed;
};

static inline uint8_t take_byte(struct cursor *c)
{
	if (c->p == c->end) {
		c->has_failed = true;
		return 0;
	}
	return *c->p++;
}

static inline uint64_t take_varint(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte = take_byte(c);

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (shift == 63 && byte > 1)
			break;	/* more than 64 bits */
		if (!(byte & 0x80))
			return v;
	}
	c->has_failed = true;
	return 0;
}

/* v, which must not be more than max. */
static inline uint64_t fit(struct cursor *c, uint64_t v, uint64_t max)
{
	if (v > max)
		c->has_failed = true;
	return v;
}

/* An address, by its module and the address in that file. */
static inline uint64_t take_addr(struct cursor *c, const struct trace *t)
{
	uint64_t module = fit(c, take_varint(c), t->nr_modules);
	uint64_t offset = take_varint(c);

	if (!module || module > t->nr_modules)
		return offset;
	return offset + t->module[module - 1].bias;
}

#endif /* REPLAYER_CURSOR_H */
