/* SPDX-License-Identifier: MIT */
/*
 * bpf.c - classic BPF programs as seccomp takes them.
 *
 * See seccomp(2), and McCanne and Jacobson, "The BSD Packet Filter: A New
 * Architecture for User-level Packet Capture", USENIX Winter 1993. What a
 * seccomp filter may contain is less: words of struct seccomp_data only.
 */
#include "preload/kernel/bpf.h"

#define CODE(f) ((f)->code)
#define IS_X(f) ((f)->code & BPF_X)
#define ALL_WORDS 0xffffu	/* of the scratch memory, a bit each */
#define WORD_BITS 32u
#define DATA_BYTES ((uint32_t)sizeof(struct seccomp_data))

/* ------------------------------------------------------------- checking */

static bool is_good_alu(const struct sock_filter *f)
{
	switch (BPF_OP(f->code)) {
	case BPF_DIV:
		return IS_X(f) || f->k;
	case BPF_LSH:
	case BPF_RSH:
		return IS_X(f) || f->k < WORD_BITS;
	default:
		return true;
	}
}

/* Whether both ways of a jump lead to an instruction. */
static bool is_good_jump(const struct sock_filter *f, uint32_t left)
{
	if (CODE(f) == (BPF_JMP | BPF_JA))
		return f->k < left;
	return f->jt < left && f->jf < left;
}

/* One instruction, with `left` more behind it. */
static bool is_good(const struct sock_filter *f, uint32_t left)
{
	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return f->k < DATA_BYTES && !(f->k & 3);
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_ALU | BPF_NEG:
		return true;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return f->k < BPF_MEMWORDS;
	case BPF_ALU | BPF_ADD | BPF_K:
	case BPF_ALU | BPF_ADD | BPF_X:
	case BPF_ALU | BPF_SUB | BPF_K:
	case BPF_ALU | BPF_SUB | BPF_X:
	case BPF_ALU | BPF_MUL | BPF_K:
	case BPF_ALU | BPF_MUL | BPF_X:
	case BPF_ALU | BPF_DIV | BPF_K:
	case BPF_ALU | BPF_DIV | BPF_X:
	case BPF_ALU | BPF_AND | BPF_K:
	case BPF_ALU | BPF_AND | BPF_X:
	case BPF_ALU | BPF_OR | BPF_K:
	case BPF_ALU | BPF_OR | BPF_X:
	case BPF_ALU | BPF_XOR | BPF_K:
	case BPF_ALU | BPF_XOR | BPF_X:
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_LSH | BPF_X:
	case BPF_ALU | BPF_RSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_X:
		return is_good_alu(f);
	case BPF_JMP | BPF_JA:
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JEQ | BPF_X:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_X:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_X:
	case BPF_JMP | BPF_JSET | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_X:
		return is_good_jump(f, left);
	default:
		return false;
	}
}

/* Whether no way through it reads a word of memory that it did not write. */
static bool is_memory_written(const struct sock_filter *f, uint32_t nr)
{
	static uint16_t written[BPF_MAXINSNS];	/* on every way to there */
	uint16_t here = 0;

	for (uint32_t i = 0; i < nr; i++)
		written[i] = ALL_WORDS;
	for (uint32_t i = 0; i < nr; i++) {
		const struct sock_filter *at = &f[i];

		here &= written[i];
		switch (BPF_CLASS(at->code)) {
		case BPF_ST:
		case BPF_STX:
			here |= (uint16_t)(1u << at->k);
			break;
		case BPF_LD:
		case BPF_LDX:
			if (BPF_MODE(at->code) == BPF_MEM &&
			    !(here >> at->k & 1))
				return false;
			break;
		case BPF_JMP:
			if (CODE(at) == (BPF_JMP | BPF_JA)) {
				written[i + 1 + at->k] &= here;
			} else {
				written[i + 1 + at->jt] &= here;
				written[i + 1 + at->jf] &= here;
			}
			here = ALL_WORDS;	/* by a jump only */
			break;
		}
	}
	return true;
}

bool bpf_is_valid(const struct sock_filter *f, uint32_t nr)
{
	if (!nr || nr > BPF_MAXINSNS || BPF_CLASS(f[nr - 1].code) != BPF_RET)
		return false;
	for (uint32_t i = 0; i < nr; i++)
		if (!is_good(&f[i], nr - 1 - i))
			return false;
	return is_memory_written(f, nr);
}

/* -------------------------------------------------------------- running */

static uint32_t compute(const struct sock_filter *f, uint32_t a, uint32_t b)
{
	switch (BPF_OP(f->code)) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return a / b;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b % WORD_BITS);
	case BPF_RSH:
		return a >> (b % WORD_BITS);
	default:
		return -a;
	}
}

static uint32_t jump(const struct sock_filter *f, uint32_t a, uint32_t b)
{
	bool is_taken;

	switch (BPF_OP(f->code)) {
	case BPF_JA:
		return f->k;
	case BPF_JEQ:
		is_taken = a == b;
		break;
	case BPF_JGT:
		is_taken = a > b;
		break;
	case BPF_JGE:
		is_taken = a >= b;
		break;
	default:
		is_taken = a & b;
	}
	return is_taken ? f->jt : f->jf;
}

static uint32_t load(const struct sock_filter *f, const uint32_t *memory,
		     const struct seccomp_data *data)
{
	switch (BPF_MODE(f->code)) {
	case BPF_ABS:
		return ((const uint32_t *)data)[f->k / sizeof(uint32_t)];
	case BPF_LEN:
		return DATA_BYTES;
	case BPF_MEM:
		return memory[f->k];
	default:
		return f->k;
	}
}

uint32_t bpf_run(const struct sock_filter *f, const struct seccomp_data *data)
{
	uint32_t a = 0, x = 0, memory[BPF_MEMWORDS];

	for (;; f++) {
		uint32_t b = IS_X(f) ? x : f->k;

		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			a = load(f, memory, data);
			break;
		case BPF_LDX:
			x = load(f, memory, data);
			break;
		case BPF_ST:
			memory[f->k] = a;
			break;
		case BPF_STX:
			memory[f->k] = x;
			break;
		case BPF_ALU:
			/* The kernel's answer to a division by 0. */
			if (BPF_OP(f->code) == BPF_DIV && !b)
				return 0;
			a = compute(f, a, b);
			break;
		case BPF_JMP:
			f += jump(f, a, b);
			break;
		case BPF_MISC:
			if (BPF_MISCOP(f->code) == BPF_TAX)
				x = a;
			else
				a = x;
			break;
		default:
			return BPF_RVAL(f->code) == BPF_A ? a : f->k;
		}
	}
}
