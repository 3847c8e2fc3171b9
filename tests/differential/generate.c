/* SPDX-License-Identifier: MIT */
/*
 * generate.c - print thousands of small functions in assembler, each around
 * an instruction with a memory operand, made of random bytes that decode.
 *
 *	generate NUMBER SEED > generated.S
 *
 * The same arguments give the same text. See generated.h for the table that
 * goes with it.
 */
#include <Zydis/Zydis.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/differential/generated.h"

#define REG_RSP 4
#define REG_RBP 5
#define REG_R11 11
#define REG_R12 12
#define REG_NONE GENERATED_NONE

static ZydisDecoder decoder;
static uint64_t state;

static uint32_t rnd(uint32_t below)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(state >> 33) % below;
}

/* ---- one instruction ---- */

/* How its memory operand is addressed. */
struct operand {
	unsigned int base;	/* REG_NONE: rip */
	unsigned int index;
	unsigned int scale;	/* log2 */
	int32_t disp;
};

struct bytes {
	uint8_t at[32];
	size_t nr;
};

static void put(struct bytes *b, unsigned int byte)
{
	b->at[b->nr++] = (uint8_t)byte;
}

static void put_operand(struct bytes *b, const struct operand *o,
			unsigned int reg, int shift)
{
	bool has_sib = o->index != REG_NONE || (o->base & 7) == REG_RSP;
	bool is_short = o->disp == (int8_t)o->disp && shift == 0;
	unsigned int mod = is_short ? 1 : 2;

	if (o->base == REG_NONE) {
		put(b, (reg & 7) << 3 | 5);
		for (int i = 0; i < 4; i++)
			put(b, 0);
		return;
	}
	if (!o->disp && (o->base & 7) != REG_RBP)
		mod = 0;
	put(b, mod << 6 | (reg & 7) << 3 | (has_sib ? REG_RSP : o->base & 7));
	if (has_sib)
		put(b, o->scale << 6 | (o->index & 7) << 3 | (o->base & 7));
	if (has_sib && o->index == REG_NONE)
		b->at[b->nr - 1] = (uint8_t)(REG_RSP << 3 | (o->base & 7));
	if (mod == 1)
		put(b, (uint8_t)o->disp);
	for (int i = 0; mod == 2 && i < 4; i++)
		put(b, (uint32_t)o->disp >> 8 * i);
}

static unsigned int bit3(unsigned int reg)
{
	return reg == REG_NONE ? 0 : reg >> 3 & 1;
}

static void put_legacy(struct bytes *b, const struct operand *o)
{
	/* The segment overrides (cs, ds, es, ss) mean nothing here. */
	static const uint8_t prefix[] = { 0x66, 0xf2, 0xf3, 0xf0, 0x66,
					  0x2e, 0x3e, 0x26, 0x36 };
	unsigned int reg = rnd(16);
	unsigned int rex = 0x40 | rnd(2) << 3 | (reg >> 3) << 2 |
			   bit3(o->index) << 1 | bit3(o->base);

	if (rnd(5) < 2)
		put(b, prefix[rnd(sizeof(prefix))]);
	if (rex != 0x40 || rnd(8) == 0)
		put(b, rex);
	switch (rnd(5)) {
	case 0:
	case 1:
		break;
	case 2:
		put(b, 0x0f);
		break;
	case 3:
		put(b, 0x0f);
		put(b, 0x38);
		break;
	default:
		put(b, 0x0f);
		put(b, rnd(2) ? 0x3a : 0x38);
		break;
	}
	put(b, rnd(256));
	put_operand(b, o, reg, 0);
}

static void put_vex(struct bytes *b, const struct operand *o)
{
	unsigned int reg = rnd(16);

	put(b, 0xc4);
	put(b, (~reg >> 3 & 1) << 7 | (~bit3(o->index) & 1) << 6 |
	       (~bit3(o->base) & 1) << 5 | (1 + rnd(3)));
	put(b, rnd(2) << 7 | (rnd(2) ? 15 : rnd(16)) << 3 | rnd(2) << 2 |
	       rnd(4));
	put(b, rnd(256));
	put_operand(b, o, reg, 0);
}

static void put_evex(struct bytes *b, const struct operand *o)
{
	unsigned int reg = rnd(16);

	put(b, 0x62);
	put(b, (~reg >> 3 & 1) << 7 | (~bit3(o->index) & 1) << 6 |
	       (~bit3(o->base) & 1) << 5 | 1 << 4 | (1 + rnd(3)));
	put(b, rnd(2) << 7 | (rnd(2) ? 15 : rnd(16)) << 3 | 1 << 2 | rnd(4));
	put(b, (rnd(8) ? 0 : rnd(2)) << 7 | rnd(3) << 5 |
	       (rnd(4) ? 0 : 1) << 4 | 1 << 3 | (rnd(8) ? 0 : rnd(8)));
	put(b, rnd(256));
	/* disp8 would be scaled by an amount not known here */
	put_operand(b, o, reg, 1);
}

/* ---- which of them can be run and compared ---- */

static bool is_excluded(const ZydisDecodedInstruction *insn)
{
	switch (insn->meta.category) {
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSRET:
	case ZYDIS_CATEGORY_SYSTEM:
	case ZYDIS_CATEGORY_SGX:
	case ZYDIS_CATEGORY_VTX:
	case ZYDIS_CATEGORY_CET:
	case ZYDIS_CATEGORY_XSAVE:
	case ZYDIS_CATEGORY_XSAVEOPT:
	case ZYDIS_CATEGORY_AMX_TILE:
	case ZYDIS_CATEGORY_IO:
	case ZYDIS_CATEGORY_IOSTRINGOP:
	case ZYDIS_CATEGORY_PUSH:
	case ZYDIS_CATEGORY_POP:
	case ZYDIS_CATEGORY_STRINGOP:
	case ZYDIS_CATEGORY_NOP:
	case ZYDIS_CATEGORY_WIDENOP:
	case ZYDIS_CATEGORY_XOP:
	case ZYDIS_CATEGORY_AMD3DNOW:
	case ZYDIS_CATEGORY_FMA4:
		return true;
	default:
		return false;
	}
}

static bool is_excluded_mnemonic(ZydisMnemonic mnemonic)
{
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_BT:		/* far from the operand */
	case ZYDIS_MNEMONIC_BTC:
	case ZYDIS_MNEMONIC_BTR:
	case ZYDIS_MNEMONIC_BTS:
	case ZYDIS_MNEMONIC_LEA:
	case ZYDIS_MNEMONIC_FNSAVE:	/* stores its own address */
	case ZYDIS_MNEMONIC_FNSTENV:
	case ZYDIS_MNEMONIC_FXSAVE:
	case ZYDIS_MNEMONIC_FXSAVE64:
	case ZYDIS_MNEMONIC_FXRSTOR:
	case ZYDIS_MNEMONIC_FXRSTOR64:
	case ZYDIS_MNEMONIC_MOVDIR64B:
	case ZYDIS_MNEMONIC_ENQCMD:
	case ZYDIS_MNEMONIC_ENQCMDS:
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
		return true;
	default:
		return false;
	}
}

static bool is_register(ZydisRegister reg, unsigned int nr)
{
	return nr != REG_NONE &&
	       ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
						reg) ==
	       ZYDIS_REGISTER_RAX + (ZydisRegister)nr;
}

static bool is_base(ZydisRegister reg, unsigned int nr)
{
	return nr == REG_NONE ? reg == ZYDIS_REGISTER_RIP
			      : reg == ZYDIS_REGISTER_RAX + (ZydisRegister)nr;
}

/* A register that the next instruction needs; REG_NONE: none. */
static unsigned int keeps = REG_NONE;

static bool suits(const ZydisDecodedInstruction *insn,
		  const ZydisDecodedOperand *op, const struct operand *o,
		  bool is_last)
{
	bool has_memory = false;

	if (is_excluded(insn) || is_excluded_mnemonic(insn->mnemonic))
		return false;
	for (unsigned int i = 0; i < insn->operand_count; i++) {
		if (op[i].type == ZYDIS_OPERAND_TYPE_MEMORY) {
			if (op[i].visibility !=
			    ZYDIS_OPERAND_VISIBILITY_EXPLICIT ||
			    op[i].mem.type != ZYDIS_MEMOP_TYPE_MEM)
				return false;
			/* The bytes may mean something else altogether. */
			if (!is_base(op[i].mem.base, o->base))
				return false;
			has_memory = true;
		}
		if (op[i].type != ZYDIS_OPERAND_TYPE_REGISTER)
			continue;
		if (ZydisRegisterGetClass(op[i].reg.value) ==
		    ZYDIS_REGCLASS_SEGMENT)
			return false;
		if (!(op[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		if (is_register(op[i].reg.value, REG_RSP) ||
		    is_register(op[i].reg.value, keeps))
			return false;
		if (!is_last && (is_register(op[i].reg.value, o->base) ||
				 is_register(op[i].reg.value, o->index)))
			return false;
	}
	return has_memory;
}

static int32_t random_disp(void)
{
	switch (rnd(4)) {
	case 0:
		return 0;
	case 1:
		return ((int32_t)rnd(3) - 1) * 64;
	case 2:
		return ((int32_t)rnd(17) - 8) * 64;
	default:
		return (int32_t)rnd(1024) - 512;
	}
}

/* Above the return address, or in the red zone. */
static int32_t random_stack_disp(void)
{
	if (rnd(3) == 0)
		return rnd(2) ? -128 : -64;
	return rnd(2) ? 64 * (1 + (int32_t)rnd(4)) : 16 + (int32_t)rnd(200);
}

static struct operand random_operand(void)
{
	struct operand o = { REG_NONE, REG_NONE, 0, 0 };

	if (rnd(8) == 0)
		return o;
	o.base = rnd(12) == 0 ? REG_RSP : rnd(16);
	o.disp = o.base == REG_RSP ? random_stack_disp() : random_disp();
	do {
		if (rnd(2))
			o.index = rnd(16);
	} while (o.index == REG_RSP || o.index == o.base);
	if (o.base == REG_RSP && rnd(2))
		o.index = REG_NONE;
	if (o.base == REG_RSP && o.index != REG_NONE)
		o.disp = 4096;	/* never below the red zone */
	if (o.index == REG_R11)
		o.index = REG_NONE;
	o.scale = o.index == REG_NONE ? 0 : rnd(4);
	return o;
}

/* Print an instruction around `o`; rip-relative ones point to the block. */
static void print_memory(const struct operand *o, bool is_last)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	struct bytes b;

	for (;;) {
		size_t nr;

		b = (struct bytes){ .nr = 0 };
		switch (rnd(4)) {
		case 0:
			put_vex(&b, o);
			break;
		case 1:
			put_evex(&b, o);
			break;
		default:
			put_legacy(&b, o);
			break;
		}
		nr = b.nr;
		while (b.nr < nr + 8)
			put(&b, rnd(256));
		if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, b.at,
							b.nr, &insn, op)) &&
		    insn.length >= nr && suits(&insn, op, o, is_last))
			break;
	}
	printf("\t/* %s */\n", ZydisMnemonicGetString(insn.mnemonic));
	for (unsigned int i = 0; i < insn.length; i++) {
		if (o->base == REG_NONE && i == insn.raw.disp.offset) {
			unsigned int behind = insn.length - i;

			printf("\t.long generated_block + %u - . - %u\n",
			       64 * rnd(4) + (rnd(2) ? rnd(64) : 0), behind);
			i += 3;
		} else {
			printf("\t.byte 0x%02x\n", b.at[i]);
		}
	}
}

/* ---- what stands around it ---- */

static const char *const reg64[] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
};

static const char *const reg32[] = {
	"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi",
	"r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d",
};

static unsigned int other(const struct operand *o)
{
	unsigned int reg;

	do {
		reg = rnd(16);
	} while (reg == o->base || reg == o->index || reg == REG_RSP);
	return reg;
}

static void print_filler(const struct operand *o)
{
	unsigned int a = other(o), b = other(o);

	switch (rnd(9)) {
	case 0:
		printf("\tmov %%%s, %%%s\n", reg32[a], reg32[b]);
		break;
	case 1:
		printf("\tadd %%%s, %%%s\n", reg64[a], reg64[b]);
		break;
	case 2:
		printf("\tadc %%%s, %%%s\n", reg32[a], reg32[b]);
		break;
	case 3:
		printf("\tcmp $%u, %%%s\n", rnd(100), reg32[a]);
		break;
	case 4:
		printf("\tlea 5(%%%s,%%%s,2), %%%s\n", reg64[a], reg64[b],
		       reg64[b]);
		break;
	case 5:
		printf("\tmov $%u, %%%s\n", rnd(1000000), reg32[a]);
		break;
	case 6:
		printf("\tlea generated_block(%%rip), %%%s\n", reg64[a]);
		break;
	case 7:
		printf("\tmovq %%%s, %%xmm%u\n", reg64[a], rnd(16));
		break;
	default:
		printf("\tnop\n");
		break;
	}
}

static void print_fillers(const struct operand *o, unsigned int below)
{
	for (unsigned int n = rnd(below); n > 0; n--)
		print_filler(o);
}

static const char *const condition[] = {
	"o", "no", "b", "nb", "z", "nz", "be", "nbe",
	"s", "ns", "p", "np", "l", "nl", "le", "nle",
};

/*
 * A call or a jump right behind, which moves along. The called function looks at
 * its return address.
 */
static void print_transfer(const struct operand *o)
{
	unsigned int how = rnd(5);

	if (how == 1 && o->base == REG_R11)
		how = 0;
	if (how == 1) {
		keeps = REG_R11;
		printf("\tlea 1f(%%rip), %%r11\n");
	}
	print_memory(o, true);
	keeps = REG_NONE;
	switch (how) {
	case 0:
		printf("\tcall 1f\n");
		break;
	case 1:
		printf("\tcall *%%r11\n");
		break;
	case 2:
		printf("\tcall *4f(%%rip)\n");
		break;
	case 3:
		printf("\tjmp *4f(%%rip)\n");
		break;
	default:
		printf("\tjmp 1f\n");
		break;
	}
	print_fillers(o, 3);
	printf("\tjmp 2f\n1:\tpop %%r10\n\tpush %%r10\n%s2:",
	       how < 3 ? "\tret\n" : "");
	printf("\t.pushsection .data.rel.ro, \"aw\"\n"
	       "4:\t.quad 1b\n\t.popsection\n");
	print_fillers(o, 2);
}

static void print_around(const struct operand *o)
{
	switch (rnd(8)) {
	case 6:
	case 7:
		print_transfer(o);
		break;
	case 0:		/* room only for a trap, or barely */
		printf("\tjrcxz 1f\n");
		print_memory(o, true);
		printf("1:");
		print_fillers(o, 3);
		break;
	case 1:		/* a branch right behind, forwards */
		print_memory(o, true);
		printf("\tj%s 1f\n", condition[rnd(16)]);
		print_fillers(o, 3);
		printf("\tnop\n1:");
		print_fillers(o, 2);
		break;
	case 2:		/* and backwards, to a second end */
		printf("\tjmp 2f\n1:\tnop\n\tret\n2:");
		print_memory(o, true);
		print_fillers(o, 2);
		printf("\tj%s 1b\n", condition[rnd(16)]);
		print_fillers(o, 3);
		break;
	case 3:		/* two sites of one patch */
		print_memory(o, false);
		print_memory(o, true);
		print_fillers(o, 3);
		break;
	case 4:
		print_memory(o, true);
		break;
	default:
		print_fillers(o, 3);
		print_memory(o, true);
		print_fillers(o, 4);
		break;
	}
}

static void print_string(struct operand *o)
{
	static const char *const prefix[] = { "", "", "rep ", "repe ",
					      "repne " };
	static const char *const name[] = { "movs", "stos", "lods", "cmps",
					    "scas" };
	unsigned int what = rnd(5);
	const char *before = prefix[rnd(5)];

	/* rep is for the moves, repe and repne for the comparisons */
	if (*before)
		before = what < 3 ? "rep " : rnd(2) ? "repe " : "repne ";
	o->base = GENERATED_STRING;
	o->index = REG_NONE;
	printf("\t%s%s%c\n", before, name[what], "bwlq"[rnd(4)]);
	if (rnd(2))
		printf("\tnop\n\tnop\n\tnop\n");
}

static void print_push(const struct operand *o)
{
	printf("\tpushq %d(%%%s)\n\tlea 8(%%rsp), %%rsp\n", o->disp,
	       reg64[o->base]);
}

static struct operand print_function(unsigned int nr)
{
	struct operand o = random_operand();
	unsigned int what = rnd(40);

	printf("f%u:\n\t.cfi_startproc\n", nr);
	/* Otherwise the stack is known to be private. */
	if (o.base == REG_RSP)
		printf("\tlea -128(%%rsp), %%r11\n");
	if (what < 4)
		print_string(&o);
	else if (what == 4 && o.base != REG_NONE && o.base != REG_RSP)
		print_push(&o);
	else
		print_around(&o);
	printf("\tret\n\t.cfi_endproc\n");
	return o;
}

int main(int argc, char **argv)
{
	unsigned int nr = argc > 1 ? (unsigned int)atoi(argv[1]) : 100;
	struct operand *o = calloc(nr, sizeof(*o));

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	printf("\t.text\n");
	for (unsigned int i = 0; o && i < nr; i++)
		o[i] = print_function(i);
	printf("\t.section .data.rel.ro, \"aw\"\n"
	       "\t.globl generated_table, generated_table_end\n"
	       "\t.balign 16\ngenerated_table:\n");
	for (unsigned int i = 0; o && i < nr; i++)
		printf("\t.quad f%u\n\t.long %u, %u\n", i, o[i].base,
		       o[i].index);
	printf("generated_table_end:\n"
	       "\t.data\n\t.globl generated_block_start\n\t.balign 64\n"
	       "generated_block_start:\ngenerated_block:\n"
	       "\t.skip %u, 1\n"
	       "\t.section .note.GNU-stack, \"\", @progbits\n",
	       GENERATED_BLOCK_BYTES);
	free(o);
	return 0;
}
