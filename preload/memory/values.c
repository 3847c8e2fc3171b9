/* SPDX-License-Identifier: MIT */
/*
 * values.c - what memory operations found and left behind, for people.
 *
 * Only in the replay that confirms a failure: the search does not pay for it,
 * and nothing depends on it. An operation's instruction is executed when the
 * runtime returns to its task, so what it left is read when the carrier enters
 * the runtime next.
 */
#include "preload/memory/access.h"

bool values_is_pending;

void values_start_run(void)
{
	runtime_control->nr_values = 0;
	values_is_pending = false;
}

static uint32_t kept_bytes(uint32_t size)
{
	return size < CONTROL_VALUE_BYTES ? size : CONTROL_VALUE_BYTES;
}

/* Word by word, as the memory may be gone; words do not cross pages. */
static bool read_bytes(uint64_t addr, uint32_t size, uint8_t *to)
{
	uint64_t end = addr + kept_bytes(size);
	uint64_t word;

	for (uint64_t base = addr & ~7ull; base < end; base += 8) {
		if (!sys_load64((void *)(uintptr_t)base, &word))
			return false;
		for (uint32_t i = 0; i < 8; i++)
			if (base + i >= addr && base + i < end)
				to[base + i - addr] = (uint8_t)(word >> 8 * i);
	}
	return true;
}

static void add_block(struct control_value *v)
{
	struct control_race r = { .addr = v->addr };

	blocks_describe(&r);
	v->block = r.block;
	v->block_bytes = r.block_bytes;
	v->block_pc = r.block_pc;
}

void values_begin(uint16_t kind, uint64_t addr, uint32_t size)
{
	struct control *c = runtime_control;
	struct control_value *v;

	if (!(c->config.flags & CONTROL_F_VALUES) || !c->scheduler.step ||
	    c->nr_values >= CONTROL_MAX_VALUES)
		return;
	v = &c->value[c->nr_values];
	*v = (struct control_value){
		.step = c->scheduler.step - 1,
		.addr = addr,
		.size = size,
	};
	add_block(v);
	if (read_bytes(addr, size, v->before))
		v->has |= CONTROL_VALUE_BEFORE;
	c->nr_values++;
	values_is_pending = kind != EXPLORE_OP_MEMORY_READ;
}

void values_end(void)
{
	struct control *c = runtime_control;
	struct control_value *v = &c->value[c->nr_values - 1];

	values_is_pending = false;
	if (read_bytes(v->addr, v->size, v->after))
		v->has |= CONTROL_VALUE_AFTER;
}
