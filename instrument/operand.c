/* SPDX-License-Identifier: MIT */
/*
 * operand.c - which instructions access memory that others may reach, where,
 * and how much of it.
 */
#include "instrument/internal.h"
#include "instrument/code.h"
#include "instrument/tls.h"
#include "instrument/image.h"
#include "instrument/frames.h"

#include <errno.h>
#include <stdlib.h>

#define NOT_AN_ACCESS INSTRUMENT_SKIP_NR
#define IS_CANDIDATE (INSTRUMENT_SKIP_NR + 1)

/* What the instruction does to memory is not one access at one address. */
static bool is_odd(const ZydisDecodedInstruction *insn)
{
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_FXSAVE:
	case ZYDIS_MNEMONIC_FXSAVE64:
	case ZYDIS_MNEMONIC_FXRSTOR:
	case ZYDIS_MNEMONIC_FXRSTOR64:
	case ZYDIS_MNEMONIC_POP:
	case ZYDIS_MNEMONIC_MOVDIR64B:
	case ZYDIS_MNEMONIC_ENQCMD:
	case ZYDIS_MNEMONIC_ENQCMDS:
		return true;
	default:
		break;
	}
	switch (insn->meta.category) {
	case ZYDIS_CATEGORY_XSAVE:
	case ZYDIS_CATEGORY_XSAVEOPT:
	case ZYDIS_CATEGORY_AMX_TILE:
	case ZYDIS_CATEGORY_SYSTEM:
	case ZYDIS_CATEGORY_SGX:
	case ZYDIS_CATEGORY_VTX:
	case ZYDIS_CATEGORY_CET:
		return true;
	default:
		return false;
	}
}

/* A memory operand that only names an address. */
static bool is_hint(const ZydisDecodedInstruction *insn)
{
	switch (insn->meta.category) {
	case ZYDIS_CATEGORY_NOP:
	case ZYDIS_CATEGORY_WIDENOP:
	case ZYDIS_CATEGORY_PREFETCH:
	case ZYDIS_CATEGORY_PREFETCHWT1:
	case ZYDIS_CATEGORY_CLDEMOTE:
	case ZYDIS_CATEGORY_CLFLUSHOPT:
	case ZYDIS_CATEGORY_CLWB:
		return true;
	default:
		return insn->mnemonic == ZYDIS_MNEMONIC_CLFLUSH ||
		       insn->mnemonic == ZYDIS_MNEMONIC_LEA;
	}
}

static bool is_masked(const ZydisDecodedInstruction *insn)
{
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_MASKMOVQ:
	case ZYDIS_MNEMONIC_MASKMOVDQU:
	case ZYDIS_MNEMONIC_VMASKMOVDQU:
	case ZYDIS_MNEMONIC_VMASKMOVPS:
	case ZYDIS_MNEMONIC_VMASKMOVPD:
	case ZYDIS_MNEMONIC_VPMASKMOVD:
	case ZYDIS_MNEMONIC_VPMASKMOVQ:
		return true;
	default:
		return insn->avx.mask.reg != ZYDIS_REGISTER_NONE &&
		       insn->avx.mask.reg != ZYDIS_REGISTER_K0;
	}
}

/* bt and its kind with a register: the bit may be far from the operand. */
static bool is_far_bit(const ZydisDecodedInstruction *insn,
		       const ZydisDecodedOperand *op)
{
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_BT:
	case ZYDIS_MNEMONIC_BTC:
	case ZYDIS_MNEMONIC_BTR:
	case ZYDIS_MNEMONIC_BTS:
		return op[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
	default:
		return false;
	}
}

static bool is_tls(ZydisRegister segment)
{
	return segment == ZYDIS_REGISTER_FS || segment == ZYDIS_REGISTER_GS;
}

static uint8_t access_flags(const ZydisDecodedInstruction *insn,
			    const ZydisDecodedOperand *op)
{
	uint8_t flags = 0;

	if (op->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
		flags |= INSTRUMENT_READS;
	if (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
		flags |= INSTRUMENT_WRITES;
	if ((insn->attributes & ZYDIS_ATTRIB_HAS_LOCK) ||
	    insn->mnemonic == ZYDIS_MNEMONIC_XCHG)
		flags |= INSTRUMENT_ATOMIC;
	return flags;
}

static void add_access(struct candidate *c, const struct access *a)
{
	/* What rsi points to comes first: the read of a movs. */
	if (c->nr_accesses && a->where == ACCESS_RSI) {
		c->access[1] = c->access[0];
		c->access[0] = *a;
	} else {
		c->access[c->nr_accesses] = *a;
	}
	c->nr_accesses++;
}

static int find_string(const ZydisDecodedInstruction *insn,
		       const ZydisDecodedOperand *op, struct candidate *c)
{
	if (insn->address_width != 64)
		return INSTRUMENT_SKIP_ADDRESS;
	for (unsigned int i = 0; i < insn->operand_count; i++) {
		struct access a = { .where = ACCESS_RSI };

		if (op[i].type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		if (is_tls(op[i].mem.segment))
			return INSTRUMENT_SKIP_TLS;
		if (c->nr_accesses == 2)
			return INSTRUMENT_SKIP_OTHER;
		if (op[i].mem.base == ZYDIS_REGISTER_RDI)
			a.where = ACCESS_RDI;
		a.size = op[i].size / 8;
		a.flags = access_flags(insn, &op[i]) | INSTRUMENT_STRING;
		if (insn->attributes & (ZYDIS_ATTRIB_HAS_REP |
					ZYDIS_ATTRIB_HAS_REPE |
					ZYDIS_ATTRIB_HAS_REPNE))
			a.flags |= INSTRUMENT_REP;
		add_access(c, &a);
	}
	c->is_movs = c->nr_accesses == 2 &&
		     (c->access[1].flags & INSTRUMENT_WRITES);
	return c->nr_accesses ? IS_CANDIDATE : INSTRUMENT_SKIP_OTHER;
}

/* The one explicit memory operand that is accessed, or NULL. */
static const ZydisDecodedOperand *
find_operand(const ZydisDecodedInstruction *insn,
	     const ZydisDecodedOperand *op)
{
	for (unsigned int i = 0; i < insn->operand_count; i++)
		if (op[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    op[i].visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
			return &op[i];
	/* moffs: the accumulator is implied, the address is there */
	for (unsigned int i = 0; i < insn->operand_count_visible; i++)
		if (op[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
			return &op[i];
	return NULL;
}

static int find_plain(const struct module *m, const struct function *f,
		      const struct cfa_row *row, uint64_t addr,
		      const ZydisDecodedInstruction *insn,
		      const ZydisDecodedOperand *op, struct candidate *c)
{
	const ZydisDecodedOperand *mem = find_operand(insn, op);
	struct access a = { .where = ACCESS_OPERAND };
	unsigned int bytes;

	if (!mem)
		return is_masked(insn) ? INSTRUMENT_SKIP_GATHER :
		       insn->mnemonic == ZYDIS_MNEMONIC_XLAT
		       ? INSTRUMENT_SKIP_OTHER : NOT_AN_ACCESS;
	if (mem->mem.type == ZYDIS_MEMOP_TYPE_AGEN)
		return NOT_AN_ACCESS;
	if (mem->mem.type == ZYDIS_MEMOP_TYPE_VSIB || is_masked(insn))
		return INSTRUMENT_SKIP_GATHER;
	bytes = mem->size / 8;
	if (is_tls(mem->mem.segment) && !tls__is_variable(m, &mem->mem))
		return INSTRUMENT_SKIP_TLS;
	if (is_tls(mem->mem.segment))
		a.flags = INSTRUMENT_FS;
	else if (escape__is_private(m, f, row, &mem->mem))
		return INSTRUMENT_SKIP_FRAME;
	a.is_constant = !a.flags &&
			code__constant_address(insn, &mem->mem, addr,
					       &a.constant);
	if (a.is_constant && image__is_constant(&m->img, a.constant, bytes))
		return INSTRUMENT_SKIP_READ_ONLY;
	if (insn->address_width != 64)
		return INSTRUMENT_SKIP_ADDRESS;
	if (mem->mem.type != ZYDIS_MEMOP_TYPE_MEM || is_odd(insn) ||
	    is_far_bit(insn, op) || !bytes)
		return INSTRUMENT_SKIP_OTHER;
	a.mem = mem->mem;
	a.size = (uint16_t)bytes;
	a.flags |= access_flags(insn, mem);
	if (!(a.flags & (INSTRUMENT_READS | INSTRUMENT_WRITES)))
		return INSTRUMENT_SKIP_OTHER;
	add_access(c, &a);
	return IS_CANDIDATE;
}

static int classify(const struct module *m, const struct function *f,
		    const struct cfa_row *row, uint64_t addr,
		    const struct insn *known, struct candidate *c)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];

	if (!code__at(m, addr, f->end, &insn, op) || is_hint(&insn))
		return NOT_AN_ACCESS;
	if (known->kind == INSN_JMP_INDIRECT || known->kind == INSN_CALL)
		return find_operand(&insn, op) ? INSTRUMENT_SKIP_BRANCH
					       : NOT_AN_ACCESS;
	if (known->kind == INSN_RET)
		return NOT_AN_ACCESS;
	if (insn.meta.category == ZYDIS_CATEGORY_STRINGOP)
		return find_string(&insn, op, c);
	return find_plain(m, f, row, addr, &insn, op, c);
}

int operand__collect(const struct module *m, const struct function *f,
		     struct candidates *found)
{
	struct cfa_table table = { 0 };
	size_t hint = 0;
	int e = cfa__read(m, f, &table);

	found->nr = 0;
	for (uint32_t i = 0; i < f->nr_insns && e == 0; i++) {
		const struct insn *insn = &m->insn[f->first_insn + i];
		struct candidate c = { .insn = f->first_insn + i };
		uint64_t addr = f->start + insn->offset;
		int verdict;

		c.is_tsc = insn->flags & INSN_TSC;
		if (!c.is_tsc && !(insn->flags & INSN_MEMORY))
			continue;
		if (c.is_tsc)
			verdict = insn->flags & INSN_REACHED ? IS_CANDIDATE
							     : NOT_AN_ACCESS;
		else
			verdict = classify(m, f, cfa__row(&table, addr, &hint),
					   addr, insn, &c);
		if (verdict == IS_CANDIDATE && !(insn->flags & INSN_REACHED))
			verdict = INSTRUMENT_SKIP_UNREACHED;
		if (verdict < INSTRUMENT_SKIP_NR)
			m->plan->skipped[verdict]++;
		if (verdict != IS_CANDIDATE ||
		    (m->in->only_atomics && !c.is_tsc &&
		     !(c.access[0].flags & INSTRUMENT_ATOMIC)))
			continue;
		if (module__grow(&found->item, sizeof(*found->item),
				 found->nr, &found->max) < 0)
			e = -ENOMEM;
		else
			found->item[found->nr++] = c;
	}
	free(table.row);
	return e;
}
