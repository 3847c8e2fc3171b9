/* SPDX-License-Identifier: MIT */
/*
 * freed.h - heap memory that was given back: who may not touch it, and for how
 * long it stays out of use.
 *
 * A block is marked by free() and unmarked when its memory is handed out again,
 * by whatever way that the runtime sees. In some runs (CONTROL_F_QUARANTINE)
 * blocks are kept back for a while, so that they are not handed out at once; in
 * the others memory comes back as the target's allocator likes, which programs
 * with an ABA problem depend on.
 *
 * Invariants:
 * - A mark is the truth: that memory is the allocator's. So there are marks
 * only
 *   where every way to get memory is seen (freed_init()).
 * - Without a mark nothing is known.
 */
#ifndef PRELOAD_FREED_H
#define PRELOAD_FREED_H

#include "preload/core/core.h"

#define FREED_NR_FILTER 4096u

/* Marks in the pages that share a number. Private memory, of this run. */
extern RUNTIME_HIDDEN uint16_t freed_filter[FREED_NR_FILTER];

/*
 * In the zygote: `is_sound` says that the allocator is the C library's, and
 * that all its functions are interposed.
 */
RUNTIME_HIDDEN void freed_init(bool is_sound);

/*
 * The current task gives the block back, from `pc`; alloc_pc is where it was
 * allocated. Returns whether it is kept back: then the allocator does not get
 * it before freed_next() returns it. With is_gone it has it already.
 */
RUNTIME_HIDDEN bool freed_take(uint64_t addr, uint64_t bytes, uint64_t alloc_pc,
			       uint64_t pc, bool is_gone);
/* A block that was kept back long enough; 0: none. With `all`, any. */
RUNTIME_HIDDEN uint64_t freed_next(bool all);

/* Memory is handed out: by the allocator, or by the kernel. */
RUNTIME_HIDDEN void freed_forget(uint64_t addr, uint64_t bytes);

RUNTIME_HIDDEN bool freed_look(uint64_t addr, uint64_t bytes);

/* Whether one of the bytes was given back. Most calls cost a load. */
static inline bool freed_has(uint64_t addr, uint64_t bytes)
{
	if (__builtin_expect(!freed_filter[addr >> 12 & (FREED_NR_FILTER - 1)],
			     1))
		return false;
	return freed_look(addr, bytes);
}

/*
 * End the run: `what` ("read of 8 bytes") touches freed memory at addr. The pc
 * is a return address. `object` may be 0.
 */
RUNTIME_HIDDEN _Noreturn void freed_end(const char *what, uint64_t addr,
					uint32_t object, uint64_t pc);

/*
 * free() or realloc() of that pointer would be wrong: it was given back, or it
 * points into a block. Does not return then.
 */
RUNTIME_HIDDEN void freed_check(const char *what, uint64_t addr, uint64_t pc);

#endif /* PRELOAD_FREED_H */
