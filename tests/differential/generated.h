/* SPDX-License-Identifier: MIT */
/*
 * generated.h - the table that generate.c prints behind its functions.
 */
#ifndef TESTS_DIFFERENTIAL_GENERATED_H
#define TESTS_DIFFERENTIAL_GENERATED_H

#include <stdint.h>

#define GENERATED_NONE 16U	/* no register; as base: rip-relative */
#define GENERATED_STRING 17U	/* base: a string instruction, rsi and rdi */
#define GENERATED_BLOCK_BYTES 1024

/* Registers in the machine's numbering: rax, rcx, rdx, rbx, rsp ... */
struct generated {
	void (*call)(void);
	uint32_t base;		/* to be set to an address */
	uint32_t index;		/* to be set to a small number */
};

extern const struct generated generated_table[], generated_table_end[];

/* What rip-relative operands point into. */
extern uint8_t generated_block_start[GENERATED_BLOCK_BYTES];

#endif /* TESTS_DIFFERENTIAL_GENERATED_H */
