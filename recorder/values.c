/* SPDX-License-Identifier: MIT */
/*
 * values.c - what memory operations found and left behind, to the payload of
 * `values`. There are few, and most traces have none, so row after row.
 */
#include "recorder/internal.h"
#include "recorder/bytes.h"

#include <errno.h>

static uint32_t kept_bytes(const struct control_value *v)
{
	return v->size < CONTROL_VALUE_BYTES ? v->size : CONTROL_VALUE_BYTES;
}

static void encode_block(const struct trace *t, const struct control_value *v,
			 uint32_t *module, struct recorder_bytes *out)
{
	if (!v->block) {
		recorder__append_varint(out, 0);
		return;
	}
	recorder__append_varint(out, v->addr - v->block + 1);
	recorder__append_varint(out, v->block_bytes);
	recorder__append_address(t, v->block_pc, module, out);
}

int recorder__encode_values(const struct trace *t, struct recorder_bytes *out)
{
	uint32_t module = 0, block_module = 0;
	uint64_t before = 0;

	for (uint64_t i = 0; i < t->nr_values; i++) {
		const struct control_value *v = &t->value[i];

		recorder__append(out, &v->has, 1);
		recorder__append_varint(out, v->step - before);
		before = v->step;
		recorder__append_varint(out, v->size);
		recorder__append_address(t, v->addr, &module, out);
		encode_block(t, v, &block_module, out);
		if (v->has & CONTROL_VALUE_BEFORE)
			recorder__append(out, v->before, kept_bytes(v));
		if (v->has & CONTROL_VALUE_AFTER)
			recorder__append(out, v->after, kept_bytes(v));
	}
	return out->has_failed ? -ENOMEM : 0;
}
