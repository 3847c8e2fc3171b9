/* SPDX-License-Identifier: MIT */
/*
 * escape.c - which part of a function's own frame others may know.
 *
 * Places in the frame are counted from the canonical frame address, so that
 * rsp and rbp, and the halves of a function that the compiler has split into
 * a hot and a cold part, can be compared. The lowest place whose address is
 * taken (lea, or a copy of rsp or rbp) counts: objects extend upwards from
 * it, so all above may be known elsewhere, and all below is private.
 */
#include "instrument/internal.h"

#include <errno.h>
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

static void join(const struct module *m, const struct function *a,
		 const struct function *b)
{
	struct function *x = root(m, a), *y = root(m, b);

	if (x != y)
		y->group = (uint32_t)(x - m->function);
}

/* A jump into the middle of a function, or into one that starts framed. */
static void join_fragments(const struct module *m, const struct function *f)
{
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		const struct insn *insn = &m->insn[f->first_insn + i];
		uint64_t target = (uint64_t)insn->target;
		const struct function *g;

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

/* The place of base + disp; ESCAPE_ALL where it is not known. */
static int64_t place(const struct cfa_row *row, ZydisRegister base,
		     int64_t disp)
{
	if ((row->base == CFA_RSP && base == ZYDIS_REGISTER_RSP) ||
	    (row->base == CFA_RBP && base == ZYDIS_REGISTER_RBP))
		return disp - row->offset;
	return ESCAPE_ALL;
}

static int64_t taken_by_lea(const struct cfa_row *row,
			    const struct cfa_row *next,
			    const ZydisDecodedOperand *op)
{
	const ZydisDecodedOperandMem *mem = &op[1].mem;

	if (is_frame_base(row, mem->index))
		return ESCAPE_ALL;
	if (!is_frame_base(row, mem->base) || is_rsp(op[0].reg.value) ||
	    (next->base == CFA_RBP && is_rbp(op[0].reg.value)))
		return ESCAPE_NONE;
	return mem->index == ZYDIS_REGISTER_NONE
	       ? place(row, mem->base, mem->disp.value) : ESCAPE_ALL;
}

/* rsp or the frame pointer read as a value. */
static int64_t taken_by_use(const struct cfa_row *row,
			    const struct cfa_row *next,
			    const ZydisDecodedInstruction *insn,
			    const ZydisDecodedOperand *op, unsigned int nr)
{
	ZydisRegister reg = op[nr].reg.value;

	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		/* Frames set up and left again. */
		if (op[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    (is_rsp(op[0].reg.value) ||
		     (next->base == CFA_RBP && is_rbp(op[0].reg.value))))
			return ESCAPE_NONE;
		return place(row, reg, 0);
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_AND:
	case ZYDIS_MNEMONIC_OR:
		return nr == 0 && is_rsp(reg) ? ESCAPE_NONE : ESCAPE_ALL;
	case ZYDIS_MNEMONIC_CMP:
	case ZYDIS_MNEMONIC_TEST:
		return ESCAPE_NONE;
	default:
		return ESCAPE_ALL;
	}
}

static int64_t taken(const struct cfa_row *row, const struct cfa_row *next,
		     const ZydisDecodedInstruction *insn,
		     const ZydisDecodedOperand *op)
{
	int64_t lowest = ESCAPE_NONE;

	if (insn->mnemonic == ZYDIS_MNEMONIC_LEA)
		return taken_by_lea(row, next, op);
	for (unsigned int i = 0; i < insn->operand_count_visible; i++) {
		int64_t at = ESCAPE_NONE;

		if (op[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    (op[i].actions & ZYDIS_OPERAND_ACTION_MASK_READ) &&
		    is_frame_base(row, op[i].reg.value))
			at = taken_by_use(row, next, insn, op, i);
		if (at < lowest)
			lowest = at;
	}
	return lowest;
}

static void find_taken(const struct module *m, struct function *f,
		       const struct cfa_table *table)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	size_t now = 0, then = 0;

	for (uint32_t i = 0; i < f->nr_insns; i++) {
		uint64_t at = f->start + m->insn[f->first_insn + i].offset;
		const struct cfa_row *row, *next;
		int64_t place;

		if (!code__at(m, at, f->end, &insn, op))
			continue;
		row = cfa__row(table, at, &now);
		next = cfa__row(table, at + insn.length, &then);
		place = taken(row, next, &insn, op);
		if (place < f->lowest_taken)
			f->lowest_taken = place;
	}
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
		find_taken(m, f, &table);
	}
	free(table.row);
	for (size_t i = 0; i < m->nr_functions && e == 0; i++)
		join_fragments(m, &m->function[i]);
	for (size_t i = 0; i < m->nr_functions && e == 0; i++) {
		struct function *f = &m->function[i];
		struct function *r = root(m, f);

		if (f->lowest_taken < r->lowest_taken)
			r->lowest_taken = f->lowest_taken;
	}
	return e;
}

bool escape__is_private(const struct module *m, const struct function *f,
			const struct cfa_row *row,
			const ZydisDecodedOperandMem *mem, unsigned int bytes)
{
	int64_t lowest = root(m, f)->lowest_taken;
	int64_t first;

	if (!is_frame_base(row, mem->base))
		return false;
	if (lowest == ESCAPE_NONE)
		return true;
	first = place(row, mem->base, mem->disp.value);
	if (first == ESCAPE_ALL || mem->index != ZYDIS_REGISTER_NONE)
		return false;
	return lowest != ESCAPE_ALL && first + (int64_t)bytes <= lowest;
}
