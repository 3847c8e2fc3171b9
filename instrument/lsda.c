/* SPDX-License-Identifier: MIT */
/*
 * lsda.c - where exceptions are caught: the landing pads in a function's
 * language specific data, in the layout all compilers here share.
 */
#include "instrument/internal.h"
#include "instrument/image.h"
#include "instrument/frames.h"
#include "instrument/encoded.h"

#include <dwarf.h>

bool lsda__mark(const struct module *m, const struct function *f)
{
	const struct segment *s = image__segment(&m->img, f->lsda);
	uint64_t base = f->start;
	struct cursor c, table;
	uint8_t encoding;
	uint64_t bytes;

	if (!s || f->lsda >= s->file_end)
		return false;
	c = (struct cursor){
		.at = s->bytes + (f->lsda - s->start),
		.end = s->bytes + (s->file_end - s->start),
		.addr = f->lsda,
	};
	encoding = (uint8_t)cursor__fixed(&c, 1);
	if (encoding != DW_EH_PE_omit)
		base = cursor__pointer(&c, encoding);
	encoding = (uint8_t)cursor__fixed(&c, 1);
	if (encoding != DW_EH_PE_omit)
		cursor__uleb(&c);	/* where the type table is */
	encoding = (uint8_t)cursor__fixed(&c, 1);
	bytes = cursor__uleb(&c);
	table = c;
	cursor__skip(&c, bytes);
	if (c.is_bad)
		return false;
	table.end = c.at;
	while (table.at < table.end && !table.is_bad) {
		uint64_t pad;

		cursor__pointer(&table, encoding);	/* first byte */
		cursor__pointer(&table, encoding);	/* bytes */
		pad = cursor__pointer(&table, encoding);
		cursor__uleb(&table);			/* action */
		if (pad && !table.is_bad)
			image__mark(&m->img, base + pad, LANDING_ROOT);
	}
	return !table.is_bad;
}
