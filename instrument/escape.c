/* SPDX-License-Identifier: MIT */
/*
 * escape.c - whose frame others may know.
 *
 * A frame is private when its function never takes the address of a place in
 * it: nowhere is rsp, or the frame pointer, used other than to address memory
 * and to move on. Where one address is taken, nothing in the frame is private:
 * which bytes belong to the object is not known, and others may reach below
 * the address that they were given (a list's node inside of a structure, a
 * second base class, a pointer to an end). The halves of a function that the
 * compiler has split into a hot and a cold part have one frame.
 */
#include "instrument/internal.h"
#include "instrument/code.h"
#include "instrument/frames.h"

#include <stdlib.h>

/* ---- halves of one function ---- */

static struct function *root(const struct module *m, const struct function *f)
{
	uint32_t at = f->group;

	while (m->function[at].group != at) {
		m->function[at].group =
			m->function[m->function[at].group].group;
		at = m->function[at].group;
	}
	return &m->function[at];
}

static void join(const struct module *m, struct function *a,
		 struct function *b)
{
	struct function *x = root(m, a), *y = root(m, b);

	a->is_joined = true;
	b->is_joined = true;
	if (x != y)
		y->group = (uint32_t)(x - m->function);
}

/* A jump into the middle of a function, or into one that starts framed. */
static void join_fragments(const struct module *m, struct function *f)
{
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		const struct insn *insn = &m->insn[f->first_insn + i];
		uint64_t target = (uint64_t)insn->target;
		struct function *g;

		if (!target || insn->kind == INSN_CALL ||
		    (target >= f->start && target < f->end))
			continue;
		g = module__function(m, target);
		if (g && (g->is_fragment || target != g->start))
			join(m, f, g);
	}
}

/* ---- addresses taken ---- */

static bool is_rsp(ZydisRegister reg)
{
	return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
						reg) == ZYDIS_REGISTER_RSP;
}

static bool is_rbp(ZydisRegister reg)
{
	return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
						reg) == ZYDIS_REGISTER_RBP;
}

/* A register that holds an address in the frame at `row`. */
static bool is_frame_base(const struct cfa_row *row, ZydisRegister reg)
{
	return is_rsp(reg) || (row->base == CFA_RBP && is_rbp(reg));
}

static bool is_taken_by_lea(const struct cfa_row *row,
			    const struct cfa_row *next,
			    const ZydisDecodedOperand *op)
{
	const ZydisDecodedOperandMem *mem = &op[1].mem;

	if (is_frame_base(row, mem->index))
		return true;
	return is_frame_base(row, mem->base) && !is_rsp(op[0].reg.value) &&
	       !(next->base == CFA_RBP && is_rbp(op[0].reg.value));
}

/* rsp or the frame pointer read as a value: operand `nr`. */
static bool is_taken_by_use(const struct cfa_row *next,
			    const ZydisDecodedInstruction *insn,
			    const ZydisDecodedOperand *op, unsigned int nr)
{
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		/* Frames set up and left again. */
		return op[0].type != ZYDIS_OPERAND_TYPE_REGISTER ||
		       !(is_rsp(op[0].reg.value) ||
			 (next->base == CFA_RBP && is_rbp(op[0].reg.value)));
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_AND:
	case ZYDIS_MNEMONIC_OR:
		return nr != 0 || !is_rsp(op[nr].reg.value);
	case ZYDIS_MNEMONIC_CMP:
	case ZYDIS_MNEMONIC_TEST:
		return false;
	default:
		return true;
	}
}

static bool is_taken(const struct cfa_row *row, const struct cfa_row *next,
		     const ZydisDecodedInstruction *insn,
		     const ZydisDecodedOperand *op)
{
	if (insn->mnemonic == ZYDIS_MNEMONIC_LEA)
		return is_taken_by_lea(row, next, op);
	for (unsigned int i = 0; i < insn->operand_count_visible; i++)
		if (op[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    (op[i].actions & ZYDIS_OPERAND_ACTION_MASK_READ) &&
		    is_frame_base(row, op[i].reg.value) &&
		    is_taken_by_use(next, insn, op, i))
			return true;
	return false;
}

static bool takes_address(const struct module *m, const struct function *f,
			  const struct cfa_table *table)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	size_t now = 0, then = 0;

	for (uint32_t i = 0; i < f->nr_insns; i++) {
		uint64_t at = f->start + m->insn[f->first_insn + i].offset;
		const struct cfa_row *row, *next;

		if (!code__at(m, at, f->end, &insn, op))
			continue;
		row = cfa__row(table, at, &now);
		next = cfa__row(table, at + insn.length, &then);
		if (is_taken(row, next, &insn, op))
			return true;
	}
	return false;
}

int escape__find(struct module *m)
{
	struct cfa_table table = { 0 };
	int e = 0;

	for (size_t i = 0; i < m->nr_functions && e == 0; i++) {
		struct function *f = &m->function[i];

		e = cfa__read(m, f, &table);
		if (e < 0)
			break;
		f->is_fragment = table.row[0].base != CFA_RSP ||
				 table.row[0].offset != 8;
		f->is_frame_known = takes_address(m, f, &table);
	}
	free(table.row);
	for (size_t i = 0; i < m->nr_functions && e == 0; i++)
		join_fragments(m, &m->function[i]);
	for (size_t i = 0; i < m->nr_functions && e == 0; i++) {
		struct function *f = &m->function[i];

		/* Skipped ones were not looked at. */
		if (f->is_frame_known || f->is_skipped)
			root(m, f)->is_frame_known = true;
		/* Its other half has not been found: a catch block, say. */
		if (f->is_fragment && !f->is_joined)
			root(m, f)->is_frame_known = true;
	}
	return e;
}

bool escape__is_private(const struct module *m, const struct function *f,
			const struct cfa_row *row,
			const ZydisDecodedOperandMem *mem)
{
	return is_frame_base(row, mem->base) && !root(m, f)->is_frame_known;
}
