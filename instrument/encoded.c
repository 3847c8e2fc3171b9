/* SPDX-License-Identifier: MIT */
/*
 * encoded.c - numbers and pointers of exception tables (LSB core, 10.6).
 */
#include "instrument/internal.h"
#include "instrument/frames.h"
#include "instrument/encoded.h"

#include <dwarf.h>

uint64_t cursor__fixed(struct cursor *c, unsigned int bytes)
{
	uint64_t value = 0;

	if (c->is_bad || bytes > (uint64_t)(c->end - c->at)) {
		c->is_bad = true;
		return 0;
	}
	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)c->at[i] << 8 * i;
	c->at += bytes;
	c->addr += bytes;
	return value;
}

uint64_t cursor__uleb(struct cursor *c)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)cursor__fixed(c, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return value;
}

int64_t cursor__sleb(struct cursor *c)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)cursor__fixed(c, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (shift < 64 && (byte & 0x40))
		value |= -(uint64_t)1 << shift;
	return (int64_t)value;
}

void cursor__skip(struct cursor *c, uint64_t bytes)
{
	if (c->is_bad || bytes > (uint64_t)(c->end - c->at)) {
		c->is_bad = true;
		return;
	}
	c->at += bytes;
	c->addr += bytes;
}

/* The number, before what it is relative to is added. */
static uint64_t raw_pointer(struct cursor *c, uint8_t format)
{
	switch (format) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		return cursor__fixed(c, 8);
	case DW_EH_PE_uleb128:
		return cursor__uleb(c);
	case DW_EH_PE_sleb128:
		return (uint64_t)cursor__sleb(c);
	case DW_EH_PE_udata2:
		return cursor__fixed(c, 2);
	case DW_EH_PE_sdata2:
		return (uint64_t)(int16_t)cursor__fixed(c, 2);
	case DW_EH_PE_udata4:
		return cursor__fixed(c, 4);
	case DW_EH_PE_sdata4:
		return (uint64_t)(int32_t)cursor__fixed(c, 4);
	default:
		c->is_bad = true;
		return 0;
	}
}

uint64_t cursor__pointer(struct cursor *c, uint8_t encoding)
{
	uint64_t here = c->addr;
	uint64_t value;

	if (encoding == DW_EH_PE_omit)
		return 0;
	value = raw_pointer(c, encoding & 0x0f);
	switch (encoding & 0x70) {
	case DW_EH_PE_absptr:
		return value;
	case DW_EH_PE_pcrel:
		return value ? value + here : 0;
	default:	/* relative to something no x86-64 compiler uses here */
		c->is_bad = true;
		return 0;
	}
}
