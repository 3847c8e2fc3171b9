/* SPDX-License-Identifier: MIT */
/*
 * machine.h - run a function with all registers given, and take them all
 * back (machine.S).
 */
#ifndef TESTS_DIFFERENTIAL_MACHINE_H
#define TESTS_DIFFERENTIAL_MACHINE_H

#include <stdint.h>

#define MACHINE_XSAVE_BYTES 4096

/* Offsets are known to machine.S. */
struct machine_state {
	uint64_t gpr[16];	/* rax, rcx, rdx, rbx, rsp, rbp, ... */
	uint64_t flags;
	uint64_t call;
	uint64_t xsave_mask;
	uint64_t reserved[5];
	uint8_t xsave[MACHINE_XSAVE_BYTES] __attribute__((aligned(64)));
};

extern struct machine_state machine_state;

/* machine_state in, machine_state out. */
void machine_run(void);

#endif /* TESTS_DIFFERENTIAL_MACHINE_H */
