/* SPDX-License-Identifier: MIT */
/*
 * plan.c - from an ELF file to the sites of its code and their trampolines.
 */
#include "instrument/instrument.h"
#include "instrument/internal.h"
#include "instrument/frames.h"
#include "instrument/emit.h"
#include "instrument/code.h"
#include "instrument/tls.h"
#include "instrument/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The caller keeps its pointer to the hook there. */
#define RESERVED_BYTES 64

static int patch_all(struct module *m, struct emitter *e)
{
	static const uint8_t reserved[RESERVED_BYTES];
	struct candidates found = { 0 };
	int r = 0;

	emit__bytes(e, reserved, sizeof(reserved));
	for (size_t i = 0; i < m->nr_functions && r == 0; i++) {
		const struct function *f = &m->function[i];

		if (f->is_skipped)
			continue;
		m->plan->nr_functions++;
		m->plan->nr_instructions += f->nr_insns;
		r = operand__collect(m, f, &found);
		if (r == 0)
			r = patch__function(m, f, &found, e);
	}
	free(found.item);
	return r;
}

static int plan_module(struct module *m)
{
	struct emitter e = {
		.base = m->in->code_base,
		.max = m->in->code_bytes,
		.entry_slot = m->in->entry_slot,
		.bias = m->in->bias,
	};
	int r = frames__read(m);

	if (r < 0)
		return r;
	if (!m->nr_functions) {
		m->plan->has_no_ranges = true;
		return 0;
	}
	r = code__decode(m);
	if (r == 0)
		r = landing__find(m);
	if (r == 0)
		r = escape__find(m);
	if (r == 0)
		tls__find(m);
	if (r == 0)
		r = patch_all(m, &e);
	m->plan->code = e.code;
	m->plan->code_bytes = e.used;
	return r;
}

int instrument_plan(const struct instrument_input *in,
		    struct instrument_plan *plan, struct errbuf *err)
{
	struct module m = { .in = in, .plan = plan };
	int r;

	*plan = (struct instrument_plan){ 0 };
	ZydisDecoderInit(&m.decoder, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	r = image__open(&m.img, in->path, err);
	if (r == 0) {
		r = plan_module(&m);
		if (r < 0)
			errbuf_addf(err, "cannot instrument '%s': %s",
				    in->path, strerror(-r));
	}
	image__release(&m.img);
	free(m.cie);
	free(m.function);
	free(m.insn);
	free(m.head);
	if (r < 0)
		instrument_plan_release(plan);
	return r;
}

void instrument_plan_release(struct instrument_plan *plan)
{
	free(plan->site);
	free(plan->code);
	*plan = (struct instrument_plan){ 0 };
}
