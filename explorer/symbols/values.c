/* SPDX-License-Identifier: MIT */
/*
 * values.c - bytes of the target's memory as a C programmer writes them.
 *
 * Where the debug information knows the type of what lies there, it decides;
 * else small numbers are decimal and others hexadecimal.
 */
#include "explorer/symbols/internal.h"
#include "explorer/symbols/types.h"
#include "explorer/symbols/variables.h"

#include <dwarf.h>
#include <float.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 160
#define SMALL 0xffffu	/* beyond, the hexadecimal digits help, too */

struct value {
	struct symbols *symbols;
	const uint8_t *data;
	uint32_t size;
	uint64_t number;	/* the first 8 bytes */
	char *text;
	size_t bytes;
};

static int64_t as_signed(const struct value *v)
{
	/* A damaged trace may name a size of 0. */
	uint32_t shift = v->size && v->size < 8 ? 64 - 8 * v->size : 0;

	return (int64_t)(v->number << shift) >> shift;
}

/* More than a register: 8 bytes each, in the order of memory. */
static void print_words(const struct value *v)
{
	uint64_t high = 0;

	for (uint32_t i = 8; i < CONTROL_VALUE_BYTES; i++)
		high |= (uint64_t)v->data[i] << 8 * (i - 8);
	snprintf(v->text, v->bytes, "{0x%" PRIx64 ", 0x%" PRIx64 "%s}",
		 v->number, high, v->size > CONTROL_VALUE_BYTES ? ", ..." : "");
}

/* Most significant byte first. */
static void print_hex(const struct value *v)
{
	size_t used;

	used = (size_t)snprintf(v->text, v->bytes, "0x");
	for (uint32_t i = v->size; i > 0 && used + 3 < v->bytes; i--)
		used += (size_t)snprintf(v->text + used, v->bytes - used,
					 "%02x", v->data[i - 1]);
}

static void print_signed(const struct value *v)
{
	int64_t n = as_signed(v);

	if (n > (int64_t)SMALL || n < -(int64_t)SMALL)
		snprintf(v->text, v->bytes, "%" PRId64 " (0x%" PRIx64 ")", n,
			 v->number);
	else
		snprintf(v->text, v->bytes, "%" PRId64, n);
}

static void print_unsigned(const struct value *v)
{
	if (v->number > SMALL)
		snprintf(v->text, v->bytes, "%" PRIu64 " (0x%" PRIx64 ")",
			 v->number, v->number);
	else
		snprintf(v->text, v->bytes, "%" PRIu64, v->number);
}

static void print_character(const struct value *v, bool is_signed)
{
	size_t used;

	if (is_signed)
		print_signed(v);
	else
		print_unsigned(v);
	used = strlen(v->text);
	if (v->number > ' ' && v->number < 0x7f)
		snprintf(v->text + used, v->bytes - used, " '%c'",
			 (char)v->number);
}

static bool print_float(const struct value *v)
{
	long double n;
	int digits;
	double d;
	float f;

	if (v->size == sizeof(f)) {
		memcpy(&f, v->data, sizeof(f));
		n = (long double)f;
		digits = FLT_DECIMAL_DIG;
	} else if (v->size == sizeof(d)) {
		memcpy(&d, v->data, sizeof(d));
		n = (long double)d;
		digits = DBL_DECIMAL_DIG;
	} else if (v->size == sizeof(n)) {
		memcpy(&n, v->data, sizeof(n));
		digits = LDBL_DECIMAL_DIG;
	} else {
		return false;
	}
	/* As few digits as tell it from its neighbours, nearly: "0.1". */
	for (int i = 6; i <= digits; i++) {
		long double again;

		snprintf(v->text, v->bytes, "%.*Lg", i, n);
		again = strtold(v->text, NULL);
		if ((v->size == sizeof(f) && (float)again == (float)n) ||
		    (v->size == sizeof(d) && (double)again == (double)n) ||
		    (v->size == sizeof(n) && again >= n && again <= n))
			break;
	}
	return true;
}

static void print_pointer(const struct value *v, Dwarf_Die *type)
{
	char name[NAME_BYTES];

	if (!v->number)
		snprintf(v->text, v->bytes, "NULL");
	else if (symbols__pointed(v->symbols, type, v->number, name,
				  sizeof(name)))
		snprintf(v->text, v->bytes, "&%s", name);
	else
		snprintf(v->text, v->bytes, "0x%" PRIx64, v->number);
}

static bool print_enumerator(const struct value *v, Dwarf_Die *type)
{
	Dwarf_Attribute attr;
	Dwarf_Sword constant;
	Dwarf_Die die;

	if (dwarf_child(type, &die))
		return false;
	do {
		const char *name = dwarf_diename(&die);

		if (dwarf_tag(&die) != DW_TAG_enumerator || !name ||
		    !dwarf_attr(&die, DW_AT_const_value, &attr) ||
		    dwarf_formsdata(&attr, &constant))
			continue;
		if (constant == as_signed(v) ||
		    (uint64_t)constant == v->number) {
			snprintf(v->text, v->bytes, "%s (%" PRId64 ")", name,
				 (int64_t)constant);
			return true;
		}
	} while (!dwarf_siblingof(&die, &die));
	return false;
}

static bool print_base(const struct value *v, Dwarf_Die *type)
{
	Dwarf_Attribute attr;
	Dwarf_Word encoding;

	if (!dwarf_attr(type, DW_AT_encoding, &attr) ||
	    dwarf_formudata(&attr, &encoding))
		return false;
	if (encoding == DW_ATE_float)
		return print_float(v);
	if (v->size > 8)
		return false;
	switch (encoding) {
	case DW_ATE_boolean:
		if (v->number > 1)
			return false;
		snprintf(v->text, v->bytes, "%s", v->number ? "true" : "false");
		return true;
	case DW_ATE_signed_char:
	case DW_ATE_unsigned_char:
	case DW_ATE_UTF:
		print_character(v, encoding == DW_ATE_signed_char);
		return true;
	case DW_ATE_signed:
		print_signed(v);
		return true;
	case DW_ATE_unsigned:
		print_unsigned(v);
		return true;
	default:
		return false;
	}
}

static bool print_typed(const struct value *v, Dwarf_Die *type)
{
	switch (dwarf_tag(type)) {
	case DW_TAG_base_type:
		return print_base(v, type);
	case DW_TAG_enumeration_type:
		return v->size <= 8 && print_enumerator(v, type);
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		if (v->size != 8)
			return false;
		print_pointer(v, type);
		return true;
	default:
		return false;
	}
}

/* It may be a number of either sign, an address, or anything else. */
static void print_untyped(const struct value *v)
{
	if (v->size >= CONTROL_VALUE_BYTES)
		print_words(v);
	else if (v->size > 8 || !v->size)
		print_hex(v);
	else if (v->number <= SMALL)
		print_unsigned(v);
	else if (as_signed(v) < 0 && as_signed(v) >= -(int64_t)SMALL)
		snprintf(v->text, v->bytes, "0x%" PRIx64 " (%" PRId64 ")",
			 v->number, as_signed(v));
	else
		snprintf(v->text, v->bytes, "0x%" PRIx64, v->number);
}

void symbols_value(struct symbols *s, uint64_t addr, const uint8_t *data,
		   uint32_t size, char *text, size_t bytes)
{
	struct value v = {
		.symbols = s,
		.data = data,
		.size = size,
		.text = text,
		.bytes = bytes,
	};
	Dwarf_Die type;

	for (uint32_t i = 0; i < size && i < 8; i++)
		v.number |= (uint64_t)data[i] << 8 * i;
	if (!symbols__type_at(s, addr, size, &type) || !print_typed(&v, &type))
		print_untyped(&v);
}
