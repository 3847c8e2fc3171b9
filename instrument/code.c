/* SPDX-License-Identifier: MIT */
/*
 * code.c - decode every function once, from its first byte to its last.
 */
#include "instrument/internal.h"
#include "instrument/code.h"
#include "instrument/image.h"
#include "instrument/frames.h"

#include <errno.h>
#include <stdlib.h>

bool code__at(const struct module *m, uint64_t addr, uint64_t end,
	      ZydisDecodedInstruction *insn, ZydisDecodedOperand *op)
{
	const uint8_t *at = image__bytes(&m->img, addr, end - addr);

	return at && ZYAN_SUCCESS(ZydisDecoderDecodeFull(&m->decoder, at,
							 end - addr, insn,
							 op));
}

bool code__constant_address(const ZydisDecodedInstruction *insn,
			    const ZydisDecodedOperandMem *mem, uint64_t addr,
			    uint64_t *target)
{
	if (mem->index != ZYDIS_REGISTER_NONE)
		return false;
	if (mem->base == ZYDIS_REGISTER_RIP)
		*target = addr + insn->length + (uint64_t)mem->disp.value;
	else if (mem->base == ZYDIS_REGISTER_NONE)
		*target = (uint64_t)mem->disp.value;
	else
		return false;
	return true;
}

static enum insn_kind branch_kind(const ZydisDecodedInstruction *insn,
				  bool is_direct)
{
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_LOOP:
	case ZYDIS_MNEMONIC_LOOPE:
	case ZYDIS_MNEMONIC_LOOPNE:
	case ZYDIS_MNEMONIC_JCXZ:
	case ZYDIS_MNEMONIC_JECXZ:
	case ZYDIS_MNEMONIC_JRCXZ:
	case ZYDIS_MNEMONIC_XBEGIN:
		return INSN_LOOP;
	default:
		if (insn->meta.category == ZYDIS_CATEGORY_COND_BR)
			return INSN_JCC;
		if (insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
			return INSN_END;
		return is_direct ? INSN_JMP : INSN_JMP_INDIRECT;
	}
}

static enum insn_kind find_kind(const ZydisDecodedInstruction *insn,
				bool is_direct)
{
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_HLT:
	case ZYDIS_MNEMONIC_INT3:
		return INSN_END;
	case ZYDIS_MNEMONIC_XABORT:
	case ZYDIS_MNEMONIC_XEND:
	case ZYDIS_MNEMONIC_RDTSC:	/* trapped: its address counts */
	case ZYDIS_MNEMONIC_RDTSCP:
	case ZYDIS_MNEMONIC_CPUID:
		return INSN_FIXED;
	default:
		break;
	}
	switch (insn->meta.category) {
	case ZYDIS_CATEGORY_CALL:
		return INSN_CALL;
	case ZYDIS_CATEGORY_RET:
		return insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ||
		       insn->mnemonic == ZYDIS_MNEMONIC_IRETQ ||
		       insn->mnemonic == ZYDIS_MNEMONIC_IRETD
		       ? INSN_END : INSN_RET;
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
		return branch_kind(insn, is_direct);
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSRET:
	case ZYDIS_CATEGORY_SYSTEM:
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_CET:
	case ZYDIS_CATEGORY_IOSTRINGOP:
	case ZYDIS_CATEGORY_SGX:
	case ZYDIS_CATEGORY_VTX:
		return INSN_FIXED;
	default:
		return INSN_PLAIN;
	}
}

/* May be a candidate: worth a second look. */
static bool has_memory(const ZydisDecodedInstruction *insn,
		       const ZydisDecodedOperand *op)
{
	if (insn->meta.category == ZYDIS_CATEGORY_STRINGOP)
		return true;
	for (unsigned int i = 0; i < insn->operand_count; i++)
		if (op[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    op[i].mem.type != ZYDIS_MEMOP_TYPE_AGEN)
			return true;
	return false;
}

/* Just the opcode: what the trap answers, too. */
static bool is_tsc(const ZydisDecodedInstruction *insn)
{
	return (insn->mnemonic == ZYDIS_MNEMONIC_RDTSC && insn->length == 2) ||
	       (insn->mnemonic == ZYDIS_MNEMONIC_RDTSCP && insn->length == 3);
}

/*
 * Where the thread pointer itself is kept: how addresses of the like are made.
 */
static bool reads_thread_pointer(const ZydisDecodedInstruction *insn,
				 const ZydisDecodedOperand *op)
{
	for (unsigned int i = 0; i < insn->operand_count; i++)
		if (op[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    op[i].mem.segment == ZYDIS_REGISTER_FS &&
		    op[i].mem.base == ZYDIS_REGISTER_NONE &&
		    op[i].mem.index == ZYDIS_REGISTER_NONE &&
		    !op[i].mem.disp.value)
			return true;
	return insn->mnemonic == ZYDIS_MNEMONIC_RDFSBASE;
}

static void describe(const struct module *m, struct insn *out, uint64_t addr,
		     const ZydisDecodedInstruction *insn,
		     const ZydisDecodedOperand *op)
{
	bool is_direct = insn->operand_count_visible > 0 &&
			 op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
			 op[0].imm.is_relative;

	out->length = insn->length;
	out->kind = find_kind(insn, is_direct);
	out->flags = has_memory(insn, op) ? INSN_MEMORY : 0;
	if (reads_thread_pointer(insn, op))
		out->flags |= INSN_THREAD;
	if (m->in->has_tsc && is_tsc(insn)) {
		out->kind = INSN_PLAIN;
		out->flags |= INSN_TSC;
	}
	out->target = 0;
	if (is_direct)
		out->target = (int64_t)(addr + insn->length +
					op[0].imm.value.u);
}

static int decode_function(struct module *m, struct function *f)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];

	if (f->end - f->start > UINT32_MAX)
		f->is_skipped = true;
	f->first_insn = (uint32_t)m->nr_insns;
	for (uint64_t at = f->start; at < f->end && !f->is_skipped;) {
		if (!code__at(m, at, f->end, &insn, op)) {
			m->plan->skipped[INSTRUMENT_SKIP_UNDECODED]++;
			m->nr_insns = f->first_insn;
			f->is_skipped = true;
			break;
		}
		if (m->nr_insns == UINT32_MAX ||
		    module__grow(&m->insn, sizeof(*m->insn), m->nr_insns,
				 &m->max_insns) < 0)
			return -ENOMEM;
		m->insn[m->nr_insns].offset = (uint32_t)(at - f->start);
		describe(m, &m->insn[m->nr_insns++], at, &insn, op);
		at += insn.length;
	}
	f->nr_insns = (uint32_t)m->nr_insns - f->first_insn;
	return 0;
}

int code__decode(struct module *m)
{
	int e = 0;

	for (size_t i = 0; i < m->nr_functions && e == 0; i++)
		e = decode_function(m, &m->function[i]);
	return e;
}
