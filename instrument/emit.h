/* SPDX-License-Identifier: MIT */
/*
 * emit.h - patches: where there is room, and the code of trampolines.
 */
#ifndef INSTRUMENT_EMIT_H
#define INSTRUMENT_EMIT_H

#include "instrument/internal.h"

/* Mark where control may come in; needs code__decode(). */
int landing__find(struct module *m);

void emit__bytes(struct emitter *e, const void *bytes, size_t nr);
void emit__prologue(struct emitter *e);
void emit__epilogue(struct emitter *e);

/* Load the address and call the runtime; `nr` counts the instruction's. */
void emit__call(struct emitter *e, const struct access *access,
		unsigned int nr, uint32_t site);

/*
 * Behind the second call of a movs of `length` bytes: INSTRUMENT_AROUND_BYTES
 * further on is the way around it. The epilogue and the movs are to follow.
 */
void emit__around(struct emitter *e, unsigned int length);

/* The call that stands for an rdtsc or rdtscp of `length` bytes. */
void emit__stamp(struct emitter *e, unsigned int length);

/* The instruction itself, as if at its place. `addr`: of the file. */
void emit__moved(struct emitter *e, const struct module *m, uint64_t addr,
		 const struct insn *insn);

/*
 * A call in two parts: push its return address, a process address; then go
 * where it goes. What cannot be told apart so is not moved.
 */
bool emit__can_move_call(const struct module *m, uint64_t addr,
			 const struct insn *insn);
void emit__push_return(struct emitter *e, uint64_t addr);
void emit__called(struct emitter *e, const struct module *m, uint64_t addr,
		  const struct insn *insn);

/* Opcode bytes and a rel32 to a process address. */
void emit__relative(struct emitter *e, const void *opcode, size_t nr,
		    uint64_t target);

/* Patch all candidates of a function; sites go to the plan. */
int patch__function(struct module *m, const struct function *f,
		    const struct candidates *found, struct emitter *e);

#endif /* INSTRUMENT_EMIT_H */
