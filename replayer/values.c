/* SPDX-License-Identifier: MIT */
/*
 * values.c - the payload of `values` to what memory operations found and left
 * behind; the exact reverse of recorder/values.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "replayer/cursor.h"

static void take_block(struct cursor *c, const struct trace *t,
		       struct control_value *v)
{
	uint64_t distance = take_varint(c);

	if (!distance)
		return;
	v->block = v->addr - (distance - 1);
	v->block_bytes = take_varint(c);
	v->block_pc = take_addr(c, t);
	if (!v->block)
		c->has_failed = true;
}

static void take_data(struct cursor *c, uint8_t *to, uint32_t size)
{
	uint32_t nr = size < CONTROL_VALUE_BYTES ? size : CONTROL_VALUE_BYTES;

	for (uint32_t i = 0; i < nr; i++)
		to[i] = take_byte(c);
}

static void take_value(struct cursor *c, const struct trace *t,
		       struct control_value *v, uint64_t *step)
{
	v->has = (uint8_t)fit(c, take_byte(c), CONTROL_VALUE_BEFORE |
					       CONTROL_VALUE_AFTER);
	*step += fit(c, take_varint(c), CONTROL_MAX_STEPS);
	v->step = *step;
	v->size = (uint32_t)fit(c, take_varint(c), UINT32_MAX);
	v->addr = take_addr(c, t);
	take_block(c, t, v);
	if (v->has & CONTROL_VALUE_BEFORE)
		take_data(c, v->before, v->size);
	if (v->has & CONTROL_VALUE_AFTER)
		take_data(c, v->after, v->size);
}

/* Ascending, each of an event of its own. */
static bool is_in_order(const struct trace *t, uint64_t i)
{
	return t->value[i].step < t->nr_events &&
	       (!i || t->value[i].step > t->value[i - 1].step);
}

int replayer__decode_values(struct trace *t, uint64_t nr, const uint8_t *raw,
			    size_t bytes)
{
	struct cursor c = { .p = raw, .end = raw + bytes };
	uint64_t step = 0;

	if (nr > CONTROL_MAX_VALUES || nr > bytes / FORMAT_VALUE_MIN_BYTES)
		return TRACE_E_CORRUPT;
	t->value = calloc(nr + 1, sizeof(*t->value));
	if (!t->value)
		return -ENOMEM;
	for (; t->nr_values < nr && !c.has_failed; t->nr_values++) {
		take_value(&c, t, &t->value[t->nr_values], &step);
		if (!is_in_order(t, t->nr_values))
			return TRACE_E_CORRUPT;
	}
	return c.has_failed || c.p != c.end ? TRACE_E_CORRUPT : 0;
}
