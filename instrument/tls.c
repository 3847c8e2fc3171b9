/* SPDX-License-Identifier: MIT */
/*
 * tls.c - whether others may reach a thread's variables.
 *
 * Code addresses variables of its own thread relative to fs, and nobody else
 * can do the same to them. But where a module takes the address of one, or lets
 * another module take it, a different thread may have got the pointer. Which
 * variable it was is not known: then all of the module's are looked at.
 *
 * What the C library keeps per thread begins where fs points and goes upwards:
 * the canary of the stack protector, the guard of pointers. Variables are
 * below.
 */
#include "instrument/internal.h"
#include "instrument/code.h"
#include "instrument/tls.h"
#include "instrument/image.h"

static bool takes_address(const struct module *m)
{
	for (size_t i = 0; i < m->nr_functions; i++) {
		const struct function *f = &m->function[i];

		for (uint32_t k = 0; k < f->nr_insns; k++)
			if (m->insn[f->first_insn + k].flags & INSN_THREAD)
				return true;
	}
	return false;
}

void tls__find(struct module *m)
{
	m->shares_tls = image__shares_tls(&m->img) || takes_address(m);
}

bool tls__is_variable(const struct module *m,
		      const ZydisDecodedOperandMem *mem)
{
	if (!m->shares_tls || mem->segment != ZYDIS_REGISTER_FS)
		return false;
	return mem->base != ZYDIS_REGISTER_NONE ||
	       mem->index != ZYDIS_REGISTER_NONE || mem->disp.value < 0;
}
