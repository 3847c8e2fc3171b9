/* SPDX-License-Identifier: MIT */
/*
 * access.h - memory accesses of the target: happens-before, races, and live
 * ones as operations.
 */
#ifndef PRELOAD_ACCESS_H
#define PRELOAD_ACCESS_H

#include "preload/core/core.h"
#include "scheduler/races/races.h"

/* ------------------------------------------------------- happens-before */

/* Whether accesses are watched in this run. */
extern RUNTIME_HIDDEN bool order_is_on;
extern RUNTIME_HIDDEN struct races *order_races;

/* Map the state; in the zygote. Each run sees it zeroed. */
RUNTIME_HIDDEN void order_init(void);
RUNTIME_HIDDEN void order_start_run(void);
/* The current task carries the operation out: what that orders. */
RUNTIME_HIDDEN void order_apply(const struct runtime_op *op, bool timed_out);
/* It is announced: what others may see already. */
RUNTIME_HIDDEN void order_announce(const struct runtime_op *op);
RUNTIME_HIDDEN void order_fork(uint32_t parent, uint32_t child);

/*
 * The C library's count of threads; NULL: not known. Each thread takes itself
 * out of it when it has run its function, and the last one, which takes it to
 * 0, calls exit().
 */
extern RUNTIME_HIDDEN const volatile uint32_t *order_nr_threads;
/*
 * Handlers of that exit() run in the current task: what all others did comes
 * before. Returns whether it is so.
 */
RUNTIME_HIDDEN bool order_last_exit(void);

/* ------------------------------------------------------------- accesses */

#define ACCESS_FLAGS_DF 0x400u	/* string instructions go down */
/*
 * What access_entry() (entry.S) leaves on our stack of the task, low to high.
 */
struct access_frame {
	uint64_t rbp, r15, r14, r13, r12, rbx;
	uint64_t flags;		/* rflags */
	uint64_t r11, r10, r9, r8, rdx, rcx, rax;
	uint64_t return_address;	/* in the trampoline */
	uint64_t rsi, rdi;
	/* Of the target: rcx, return address, rsi, rdi, then the red zone. */
	uint64_t sp;
};
static_assert(sizeof(struct access_frame) == 144, "entry.S builds it");
#define ACCESS_RED_ZONE 128
#define ACCESS_PUSHED 32

/* entry.S: what trampolines call. */
RUNTIME_HIDDEN void access_entry(void);
/* What they call instead of rdtsc and rdtscp. */
RUNTIME_HIDDEN void time_entry_rdtsc(void);
RUNTIME_HIDDEN void time_entry_rdtscp(void);
enum access_result {
	ACCESS_GO_ON = 0,
	ACCESS_DELIVER = 1,	/* handlers run, then the instruction */
	/* They run before the access is told; the hook is called once more. */
	ACCESS_DELIVER_AND_REDO = 2,
};
/* Called by it. Returns enum access_result. */
RUNTIME_HIDDEN uint32_t access_hook(uint64_t addr, uint32_t site,
				    struct access_frame *f);
/* Its work for an access of `size` bytes, which is not 0. */
RUNTIME_HIDDEN void access_do(uint64_t addr, uint32_t size, uint32_t site,
			      const struct access_frame *f);
/* rax, rcx and r11 at a SYS_NR_DELIVER_HELD; the hook's arguments. */
extern RUNTIME_HIDDEN uint64_t access_held[5];
/* It is an operation in this run. */
RUNTIME_HIDDEN bool access_is_live(uint32_t site);

/* elements.c: an access of a string instruction. */
RUNTIME_HIDDEN void elements_hook(uint64_t addr, uint32_t site,
				  struct access_frame *f);

/* Registers for an unwinder, of a task that stopped there: has_vectors. */
RUNTIME_HIDDEN void access_show(struct control_task *k);
/* Where such a task goes on: in the trampoline that has the instruction. */
RUNTIME_HIDDEN uint64_t access_continues_at(const struct control_task *k);

/*
 * calls.c: an access that a function made for its caller, whose registers are
 * in control_task already. For the detector; what conflicts is learned.
 */
RUNTIME_HIDDEN void access_of_call(uint64_t addr, uint32_t size, uint32_t site,
				   enum races_access how);
/* It is an operation: announce it and choose. */
RUNTIME_HIDDEN void access_point_of_call(uint16_t kind, uint64_t addr,
					 uint32_t size, uint32_t site);

/* The second task is made: from now on accesses can meet. */
RUNTIME_HIDDEN void access_second_task(void);

/* The run ends: drop the races that it showed to be none. */
RUNTIME_HIDDEN void access_end_run(void);

/* -------------------------------------------------------------- values.c */

/* Whether an operation's `after` is still to be noted. */
extern RUNTIME_HIDDEN bool values_is_pending;

RUNTIME_HIDDEN void values_start_run(void);
/*
 * The current task was just picked to carry out a memory operation: note what
 * it finds there.
 */
RUNTIME_HIDDEN void values_begin(uint16_t kind, uint64_t addr, uint32_t size);
RUNTIME_HIDDEN void values_end(void);

/* What the instruction did will not be known. */
static inline void values_drop(void)
{
	values_is_pending = false;
}

/* It entered the runtime again, so the instruction was executed. */
static inline void values_settle(void)
{
	if (__builtin_expect(values_is_pending, 0))
		values_end();
}

/* ----------------------------------------------------------- computing.c */

/* Watched instructions until time passes; 0: nobody waits for that. */
extern RUNTIME_HIDDEN uint32_t computing_left;
/* A timer of the target is to come, or none. */
RUNTIME_HIDDEN void computing_pass_time(bool is_on);
/* They have been executed. Returns whether a timer is due. */
RUNTIME_HIDDEN bool computing_batch(bool finds_same);
/* A system call was made, perhaps one of a loop that makes nothing else. */
struct trap;
RUNTIME_HIDDEN void computing_call(const struct trap *t);
/*
 * A read that is often executed is looked at, once in a while; and whether it
 * found the same each time, while a timer is to come.
 */
RUNTIME_HIDDEN void computing_look(uint64_t addr, uint32_t site);
RUNTIME_HIDDEN bool computing_is_steady(uint32_t site);

/* --------------------------------------------------------------- watch.c */

extern RUNTIME_HIDDEN bool watch_is_on;

RUNTIME_HIDDEN void watch_start_run(void);
/* An access is about to be made. May end the run. */
RUNTIME_HIDDEN void watch_access(uint64_t addr, uint32_t size, uint32_t site);
/* It completes a race. May end the run. */
RUNTIME_HIDDEN void watch_race(const struct races_found *f);

/* -------------------------------------------------------------- blocks.c */

/*
 * A heap block was handed out to the caller at pc. `stack` is where its
 * caller's return address can be found when pc is not in the program itself;
 * or NULL.
 */
RUNTIME_HIDDEN void blocks_note(uint64_t addr, uint64_t bytes, uint64_t pc,
				const uint64_t *stack);
RUNTIME_HIDDEN void blocks_resize(uint64_t addr, uint64_t bytes);
RUNTIME_HIDDEN void blocks_drop(uint64_t addr);
/* What was asked for; 0: not known. */
RUNTIME_HIDDEN uint64_t blocks_bytes(uint64_t addr);
/* Where it was allocated; 0: not known. */
RUNTIME_HIDDEN uint64_t blocks_pc(uint64_t addr);
/* The live block that addr lies in, for sure; 0: not known. */
RUNTIME_HIDDEN uint64_t blocks_around(uint64_t addr);
/* C++: who called operator new or delete, which called us from pc. */
RUNTIME_HIDDEN uint64_t blocks_caller(uint64_t pc, const uint64_t *stack);
/* Fill in the block that r->addr lies in, if it is known. */
RUNTIME_HIDDEN void blocks_describe(struct control_race *r);

/* ------------------------------------------------------------- patched.c */

struct sigcontext;
struct trap;

/* In the zygote, when it has the tool's plan. */
RUNTIME_HIDDEN void access_name_sites(void);

/* In the zygote: carry the tool's plan out; then unpatch private sites. */
RUNTIME_HIDDEN void access_instrument(void);
RUNTIME_HIDDEN void access_apply(void);

/* In a run, for the rest of it: the site's patch, if that is private. */
RUNTIME_HIDDEN void access_unpatch(uint32_t site);
/* The same, but only until the second task is made. */
RUNTIME_HIDDEN void access_park(uint32_t site);
/*
 * For the rest of the run all sites are watched, hot and private ones, too.
 * Returns whether that is new.
 */
RUNTIME_HIDDEN bool access_watch_all(void);
/* Whatever reaches into [start, end). Returns how many patches. */
RUNTIME_HIDDEN uint32_t access_restore(uint64_t start, uint64_t end);
RUNTIME_HIDDEN void access_restore_all(void);
RUNTIME_HIDDEN bool access_has_patches(void);
/* A handler of the target is going to look at the code around pc. */
RUNTIME_HIDDEN void access_show_original(uint64_t pc);
/* The target goes on at pc, which may be in the middle of a patch. */
RUNTIME_HIDDEN void access_enter(uint64_t pc);

/* mprotect and pkey_mprotect; munmap, mremap and the like. */
RUNTIME_HIDDEN int64_t access_mprotect(struct trap *t);
RUNTIME_HIDDEN int64_t access_munmap(struct trap *t);

RUNTIME_HIDDEN bool access_is_trampoline(uint64_t ip);
/* A fault in a trampoline: as if it had come in the original code. */
RUNTIME_HIDDEN void access_leave_trampoline(struct sigcontext *m);
/* Where to go on behind an int3 at ip - 1; 0: not ours. */
RUNTIME_HIDDEN uint64_t access_int3_target(uint64_t ip);

#endif /* PRELOAD_ACCESS_H */
