/* SPDX-License-Identifier: MIT */
/*
 * emit.c - the machine code of trampolines.
 *
 * None of the instructions used changes a flag or a register other than the
 * two that are saved, and none touches the 128 bytes below rsp.
 */
#include "instrument/internal.h"
#include "instrument/emit.h"
#include "instrument/code.h"
#include "instrument/image.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What rsp differs by from the program's at the call: red zone, 2 pushes. */
#define RED_ZONE 128
#define RSP_MOVED (RED_ZONE + 16)

#define REG_RSP 4
#define REG_RBP 5
#define REG_RSI 6
#define REG_RDI 7

void emit__bytes(struct emitter *e, const void *bytes, size_t nr)
{
	if (e->is_bad || nr > e->max - e->used) {
		e->is_bad = true;
		return;
	}
	if (e->used + nr > e->room) {
		uint64_t room = e->room ? e->room * 2 : 65536;
		uint8_t *bigger;

		if (room > e->max)
			room = e->max;
		bigger = realloc(e->code, room);
		if (!bigger) {
			e->is_bad = true;
			return;
		}
		e->code = bigger;
		e->room = room;
	}
	memcpy(e->code + e->used, bytes, nr);
	e->used += nr;
}

static void emit_int32(struct emitter *e, int64_t value)
{
	int32_t narrow = (int32_t)value;

	if (narrow != value)
		e->is_bad = true;
	emit__bytes(e, &narrow, sizeof(narrow));
}

void emit__relative(struct emitter *e, const void *opcode, size_t nr,
		    uint64_t target)
{
	emit__bytes(e, opcode, nr);
	emit_int32(e, (int64_t)(target - (e->base + e->used + 4)));
}

void emit__prologue(struct emitter *e)
{
	static const uint8_t code[] = {
		0x48, 0x8d, 0x64, 0x24, 0x80,	/* lea -128(%rsp), %rsp */
		0x57, 0x56,			/* push %rdi; push %rsi */
	};

	emit__bytes(e, code, sizeof(code));
}

static const uint8_t epilogue[] = {
	0x5e, 0x5f,				/* pop %rsi; pop %rdi */
	0x48, 0x8d, 0xa4, 0x24, 0x80, 0, 0, 0,	/* lea 128(%rsp), %rsp */
};

void emit__epilogue(struct emitter *e)
{
	emit__bytes(e, epilogue, sizeof(epilogue));
}

void emit__around(struct emitter *e, unsigned int length)
{
	const uint8_t over[] = { 0xeb, sizeof(epilogue) + 2 };
	const uint8_t jmp[] = { 0xeb, (uint8_t)(sizeof(epilogue) + length) };

	static_assert(sizeof(over) == INSTRUMENT_AROUND_BYTES,
		      "what the runtime adds");
	emit__bytes(e, over, sizeof(over));
	emit__epilogue(e);
	emit__bytes(e, jmp, sizeof(jmp));
}

/* lea disp(base,index,scale), %rdi; with disp32 always, for simplicity. */
static void emit_lea(struct emitter *e, const ZydisDecodedOperandMem *mem)
{
	bool has_base = mem->base != ZYDIS_REGISTER_NONE;
	bool has_index = mem->index != ZYDIS_REGISTER_NONE;
	uint8_t base = has_base ? (uint8_t)ZydisRegisterGetId(mem->base) : 0;
	uint8_t index = has_index ? (uint8_t)ZydisRegisterGetId(mem->index)
				  : 0;
	uint8_t code[4] = { 0x48, 0x8d };
	uint8_t scale = 0;
	int64_t disp = mem->disp.value;
	size_t nr = 3;

	while (has_index && mem->scale >> (scale + 1))
		scale++;
	code[0] |= base >> 3 | (index >> 3) << 1;
	code[2] = (has_base ? 0x80 : 0) | REG_RDI << 3;
	if (has_base && !has_index && (base & 7) != REG_RSP) {
		code[2] |= base & 7;
	} else {
		code[2] |= REG_RSP;	/* a SIB byte follows */
		code[3] = (uint8_t)(scale << 6 |
			  (has_index ? index & 7 : REG_RSP) << 3 |
			  (has_base ? base & 7 : REG_RBP));
		nr = 4;
	}
	if (mem->base == ZYDIS_REGISTER_RSP)
		disp += RSP_MOVED;
	emit__bytes(e, code, nr);
	emit_int32(e, disp);
}

static void emit_constant(struct emitter *e, uint64_t value)
{
	static const uint8_t lea[] = { 0x48, 0x8d, 0x3d };
	static const uint8_t movabs[] = { 0x48, 0xbf };
	uint64_t next = e->base + e->used + sizeof(lea) + 4;
	int64_t distance = (int64_t)(value - next);

	if (distance == (int32_t)distance) {
		emit__relative(e, lea, sizeof(lea), value);
		return;
	}
	emit__bytes(e, movabs, sizeof(movabs));
	emit__bytes(e, &value, sizeof(value));
}

/*
 * The second call of an instruction finds rdi and rsi on the stack: the first
 * one's arguments are in their place.
 */
static void emit_string(struct emitter *e, enum access_address where,
			unsigned int nr)
{
	static const uint8_t from_rsi[] = { 0x48, 0x89, 0xf7 };
	static const uint8_t saved_rsi[] = { 0x48, 0x8b, 0x3c, 0x24 };
	static const uint8_t saved_rdi[] = { 0x48, 0x8b, 0x7c, 0x24, 0x08 };

	if (nr && where == ACCESS_RSI)
		emit__bytes(e, saved_rsi, sizeof(saved_rsi));
	else if (nr)
		emit__bytes(e, saved_rdi, sizeof(saved_rdi));
	else if (where == ACCESS_RSI)
		emit__bytes(e, from_rsi, sizeof(from_rsi));
}

void emit__call(struct emitter *e, const struct access *access,
		unsigned int nr, uint32_t site)
{
	static const uint8_t mov_esi[] = { 0xbe };
	static const uint8_t call[] = { 0xff, 0x15 };

	if (access->where != ACCESS_OPERAND)
		emit_string(e, access->where, nr);
	else if (access->is_constant)
		emit_constant(e, access->mem.base == ZYDIS_REGISTER_RIP
				 ? access->constant + e->bias
				 : access->constant);
	else
		emit_lea(e, &access->mem);
	emit__bytes(e, mov_esi, sizeof(mov_esi));
	emit__bytes(e, &site, sizeof(site));
	emit__relative(e, call, sizeof(call), e->entry_slot);
}

void emit__stamp(struct emitter *e, unsigned int length)
{
	static const uint8_t call[] = { 0xff, 0x15 };
	/* Behind the slot for accesses: rdtsc, and rdtscp, which is longer. */
	unsigned int slot = length == 2 ? 1 : 2;

	emit__prologue(e);
	emit__relative(e, call, sizeof(call),
		       e->entry_slot + slot * sizeof(uint64_t));
	emit__epilogue(e);
}

static void emit_branch(struct emitter *e, const struct insn *insn,
			uint8_t opcode)
{
	static const uint8_t jmp[] = { 0xe9 };
	uint8_t jcc[] = { 0x0f, 0x80 };
	uint64_t target = (uint64_t)insn->target + e->bias;

	if (insn->kind == INSN_JMP) {
		emit__relative(e, jmp, sizeof(jmp), target);
		return;
	}
	jcc[1] |= opcode & 0x0f;	/* the condition, in both forms */
	emit__relative(e, jcc, sizeof(jcc), target);
}

/* Let the operand in `code` mean what it means at `addr`. */
static void relocate_operand(struct emitter *e, uint64_t addr,
			     const ZydisDecodedInstruction *insn,
			     uint8_t *code)
{
	uint64_t target;
	int64_t disp;
	int32_t narrow;

	if (!(insn->attributes & ZYDIS_ATTRIB_IS_RELATIVE))
		return;
	if (insn->raw.disp.size != 32 || insn->raw.modrm.mod != 0 ||
	    insn->raw.modrm.rm != REG_RBP || insn->address_width != 64) {
		e->is_bad = true;	/* a kind that is not known here */
		return;
	}
	target = addr + insn->length + e->bias +
		 (uint64_t)insn->raw.disp.value;
	disp = (int64_t)(target - (e->base + e->used + insn->length));
	narrow = (int32_t)disp;
	if (narrow != disp)
		e->is_bad = true;
	memcpy(code + insn->raw.disp.offset, &narrow, sizeof(narrow));
}

void emit__moved(struct emitter *e, const struct module *m, uint64_t addr,
		 const struct insn *insn)
{
	ZydisDecodedInstruction decoded;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	uint8_t code[ZYDIS_MAX_INSTRUCTION_LENGTH];
	const uint8_t *bytes = image__bytes(&m->img, addr, insn->length);

	if (!bytes || !code__at(m, addr, addr + insn->length, &decoded, op)) {
		e->is_bad = true;
		return;
	}
	if (insn->kind == INSN_JCC || insn->kind == INSN_JMP) {
		emit_branch(e, insn, decoded.opcode);
		return;
	}
	memcpy(code, bytes, insn->length);
	relocate_operand(e, addr, &decoded, code);
	emit__bytes(e, code, insn->length);
}

/* ---- calls ---- */

/* Pushing first changes what is at or relative to rsp: not with that. */
bool emit__can_move_call(const struct module *m, uint64_t addr,
			 const struct insn *insn)
{
	ZydisDecodedInstruction decoded;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];

	if (insn->target)
		return true;
	if (!code__at(m, addr, addr + insn->length, &decoded, op) ||
	    decoded.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ||
	    decoded.opcode != 0xff || decoded.operand_width != 64)
		return false;
	if (op[0].type == ZYDIS_OPERAND_TYPE_REGISTER)
		return op[0].reg.value != ZYDIS_REGISTER_RSP;
	return op[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       op[0].mem.base != ZYDIS_REGISTER_RSP &&
	       decoded.address_width == 64;
}

/* No instruction pushes 64 bits: the low half, and then the high one. */
void emit__push_return(struct emitter *e, uint64_t addr)
{
	static const uint8_t push[] = { 0x68 };
	static const uint8_t movl[] = { 0xc7, 0x44, 0x24, 0x04 };
	uint32_t low = (uint32_t)addr, high = (uint32_t)(addr >> 32);

	emit__bytes(e, push, sizeof(push));
	emit__bytes(e, &low, sizeof(low));
	emit__bytes(e, movl, sizeof(movl));
	emit__bytes(e, &high, sizeof(high));
}

/* The call as a jump: FF /2 becomes FF /4. */
void emit__called(struct emitter *e, const struct module *m, uint64_t addr,
		  const struct insn *insn)
{
	static const uint8_t jmp[] = { 0xe9 };
	ZydisDecodedInstruction decoded;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	uint8_t code[ZYDIS_MAX_INSTRUCTION_LENGTH];
	const uint8_t *bytes = image__bytes(&m->img, addr, insn->length);

	if (insn->target) {
		emit__relative(e, jmp, sizeof(jmp),
			       (uint64_t)insn->target + e->bias);
		return;
	}
	if (!bytes || !code__at(m, addr, addr + insn->length, &decoded, op)) {
		e->is_bad = true;
		return;
	}
	memcpy(code, bytes, insn->length);
	relocate_operand(e, addr, &decoded, code);
	code[decoded.raw.modrm.offset] =
		(uint8_t)((code[decoded.raw.modrm.offset] & 0xc7) | 4 << 3);
	emit__bytes(e, code, insn->length);
}
