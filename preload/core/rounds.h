/* SPDX-License-Identifier: MIT */
/*
 * rounds.h - proofs that a task waits: it came back to where it was, and its
 * round changed nothing.
 *
 * A task that comes to a place in its code with the registers and the stack
 * that it had there before, and that has changed nothing in between, goes round
 * in a loop that only others can end. Reading the same again and again is no
 * such proof: a loop that adds up a table, or counts its turns, does that, too.
 */
#ifndef PRELOAD_ROUNDS_H
#define PRELOAD_ROUNDS_H

#include "preload/core/runtime.h"

/* What the current task is about to do changes something: begin anew. */
RUNTIME_HIDDEN void rounds_forget(uint32_t t);

/* The current task has changed something that others may see. */
static inline void rounds_effect(uint32_t t)
{
	runtime_control->scheduler.nr_effects++;
	rounds_forget(t);
}

/*
 * The current task is at `place`, about to do something that changes nothing by
 * itself. True: a round, with nothing changed; the operation it announces next
 * is EXPLORE_OP_F_IDLE.
 */
struct rounds_place {
	uint64_t place;
	uint64_t sp;		/* its stack pointer */
	const uint64_t *saved;	/* registers that calls keep */
	const uint64_t *other;	/* and others, the flags among them */
	const uint64_t *vectors; /* FXSAVE's area; NULL: still in registers */
	uint32_t nr_saved, nr_other;
};
RUNTIME_HIDDEN bool rounds_is_back(const struct rounds_place *p);

/*
 * The current task is about to announce an operation with these flags. A replay
 * has it yield where the recorded run did. Returns the flags to announce.
 */
RUNTIME_HIDDEN uint16_t rounds_give_way(uint16_t flags);

/* It announces an operation of that kind. */
RUNTIME_HIDDEN void rounds_announce(uint16_t kind);

/*
 * Before it announces a try of an interposed function: what to add to the
 * operation's flags. A macro, as registers are still the caller's.
 */
struct rounds_registers {
	uint64_t rbx, r12, r13, r14, r15, object;
};
RUNTIME_HIDDEN uint16_t rounds_of_try(uint64_t pc,
				      const struct rounds_registers *r,
				      const uint64_t *frame);
#define ROUNDS_OF_TRY(pc, id)                                                  \
	({                                                                     \
		struct rounds_registers r_ = { .object = (id) };               \
		__asm__ volatile("mov %%rbx, %0\n\tmov %%r12, %1\n\t"          \
				 "mov %%r13, %2\n\tmov %%r14, %3\n\t"          \
				 "mov %%r15, %4"                               \
				 : "=m"(r_.rbx), "=m"(r_.r12), "=m"(r_.r13),   \
				   "=m"(r_.r14), "=m"(r_.r15));                \
		rounds_of_try(pc, &r_, __builtin_frame_address(0));            \
	})
/* How it ended. `is_lock`: what it took, it will give back. */
RUNTIME_HIDDEN void rounds_tried(bool has_failed, bool is_lock);

/*
 * At a system call that changes nothing; registers are in control_task. Where a
 * signal led here the vector registers are in its frame, and the kernel has
 * cleared the processor's: whether a site is patched makes no difference.
 */
RUNTIME_HIDDEN bool rounds_is_back_at_call(const uint64_t *arg,
					   const void *vectors);

/*
 * An instruction is about to be executed that may change these bytes. Whether
 * it did shows when its task enters the runtime next.
 */
struct rounds_update {
	uint64_t base, value[2];
	uint64_t sp;		/* the task's */
	uint32_t nr;		/* words; 0: no update is pending */
};
extern RUNTIME_HIDDEN struct rounds_update rounds_update;
RUNTIME_HIDDEN void rounds_begin_update(uint64_t addr, uint32_t size,
					uint64_t sp, bool is_library);
RUNTIME_HIDDEN void rounds_end_update(void);
static inline void rounds_settle(void)
{
	if (__builtin_expect(rounds_update.nr != 0, 0))
		rounds_end_update();
}

/* access.c: what was read before is history. */
RUNTIME_HIDDEN void access_forget_reads(uint32_t t);

#endif /* PRELOAD_ROUNDS_H */
