/* SPDX-License-Identifier: MIT */
/*
 * code.h - instructions: decoded, where they are reached, what they access.
 */
#ifndef INSTRUMENT_CODE_H
#define INSTRUMENT_CODE_H

#include "instrument/internal.h"

/* Decode one instruction for good; false when it is none. */
bool code__at(const struct module *m, uint64_t addr, uint64_t end,
	      ZydisDecodedInstruction *insn, ZydisDecodedOperand *op);

/* Where a rip-relative or absolute operand without registers points. */
bool code__constant_address(const ZydisDecodedInstruction *insn,
			    const ZydisDecodedOperandMem *mem, uint64_t addr,
			    uint64_t *target);

/* Fill is_frame_known of all functions. */
int escape__find(struct module *m);

/* The operand lies in the function's own frame, where nobody else looks. */
bool escape__is_private(const struct module *m, const struct function *f,
			const struct cfa_row *row,
			const ZydisDecodedOperandMem *mem);

/*
 * Collect a function's candidates and count what is skipped. An INSN_TSC that
 * is reached is always one: it is never moved as it is, where it would trap.
 */
int operand__collect(const struct module *m, const struct function *f,
		     struct candidates *found);

/* All instructions of the module's functions. */
int code__decode(struct module *m);

#endif /* INSTRUMENT_CODE_H */
