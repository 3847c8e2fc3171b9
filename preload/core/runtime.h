/* SPDX-License-Identifier: MIT */
/*
 * runtime.h - what the parts of the preloaded runtime offer one another.
 *
 * The runtime is the kernel for threads inside the target. One kernel thread,
 * the carrier, runs all tasks in turn; a task is a stack, registers and an fs
 * base. Code of the runtime runs on its own stack of the task that trapped into
 * it (stacks.c), or, where it was called, on the target's, which may be tiny.
 * The choice of the next task has one more stack: strategies may be hungry.
 *
 * Rules for all code below preload/, because it may run inside a SIGSYS
 * handler, on a borrowed stack, with any task's fs base, under any lock of the
 * C library:
 * - no malloc, no stdio, no libc function that locks, allocates or sets errno
 *   (interposers call the real functions they stand for, and nothing else);
 * - no thread-local variables, no floating point or vector registers (the
 *   build uses -mgeneral-regs-only), at most about 512 bytes of locals;
 * - system calls only through sys.h, whose stub page is exempt from trapping.
 *
 * State that must survive the run lies in the control region; what a native
 * child must see differently (the mode) lies in private memory.
 */
#ifndef PRELOAD_RUNTIME_H
#define PRELOAD_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/region/control.h"

#define RUNTIME_HIDDEN __attribute__((visibility("hidden")))
#define RUNTIME_EXPORT __attribute__((visibility("default")))
#define RUNTIME_CALLER ((uint64_t)(uintptr_t)__builtin_return_address(0))

enum runtime_mode {
	/* Not under control: pass everything through. Also native children. */
	RUNTIME_NATIVE = 0,
	/* Constructors before main: tasks work, in a fixed order, unlogged. */
	RUNTIME_EARLY = 1,
	/* A run: every operation is a scheduling point. */
	RUNTIME_CONTROLLED = 2,
};

/* Private memory: a forked native child changes its own copy. */
extern RUNTIME_HIDDEN uint32_t runtime_mode;
extern RUNTIME_HIDDEN struct control *runtime_control;

/* Interposers test this first and call the real function when it is false. */
static inline bool runtime_is_on(void)
{
	return __builtin_expect(runtime_mode != RUNTIME_NATIVE, 1);
}

/* Returns the model for writing; this drops the cached candidate set. */
static inline struct scheduler *runtime_scheduler(void)
{
	scheduler_changed(&runtime_control->scheduler);
	return &runtime_control->scheduler;
}

/* The task that runs now. Only meaningful when runtime_is_on(). */
static inline uint32_t runtime_self(void)
{
	return runtime_control->scheduler.current;
}

static inline struct sched_task *runtime_self_task(void)
{
	return &runtime_scheduler()->task[runtime_self()];
}

/* --------------------------------------------------- scheduling points */

/* One operation of the current task, as the caller sees it. */
struct runtime_op {
	uint16_t kind;		/* enum explore_op_kind */
	uint16_t flags;		/* enum explore_op_flags, usually 0 */
	uint32_t object;	/* id from runtime_object(); 0 none */
	uint32_t object2;
	uint64_t pc;		/* RUNTIME_CALLER of the interposed function */
	uint64_t deadline_ns;	/* virtual CLOCK_MONOTONIC; 0 none */
};

/*
 * Announce the operation and stop; returns when the scheduler has picked this
 * task to carry it out, so the operation is enabled and nobody else runs until
 * the next point. Returns true when the only reason is its deadline: it must
 * time out. Signals that became deliverable are delivered before it returns.
 * A run that ends here (deadlock, step limit, divergence) never returns.
 *
 * For interruptible waits (cond, sem, join, sleep, futex): when
 * SCHED_TASK_INTERRUPTED is set on the task after return, a signal handler ran
 * or a cancellation arrived; the caller clears the flag and acts.
 */
RUNTIME_HIDDEN bool runtime_point(const struct runtime_op *op);

/* Id of the object at `addr`, made on first use. Ends the run if full. */
RUNTIME_HIDDEN uint32_t runtime_object(enum sched_class class,
				       const volatile void *addr, uint64_t pc);

/* scheduler_wake() with the run's strategy; returns how many were woken. */
RUNTIME_HIDDEN uint32_t runtime_wake(uint32_t object, uint32_t max,
				     uint32_t mask);

/* explore_choose(): the strategy's number below nr, logged. */
RUNTIME_HIDDEN uint32_t runtime_choose(uint32_t nr);

/*
 * What the current task did so far happens before whatever later acquires the
 * object (pthread_once after its function, a guard's release). Cheap when
 * accesses are not watched.
 */
RUNTIME_HIDDEN void runtime_release_order(uint32_t object);
RUNTIME_HIDDEN void runtime_acquire_order(uint32_t object);

/* A block was allocated: what happened in that memory before is history. */
RUNTIME_HIDDEN void runtime_forget_memory(uint64_t addr, uint64_t bytes,
					  uint64_t pc);
/* Bytes that code we do not watch synchronises with (a guard variable). */
RUNTIME_HIDDEN void runtime_note_atomic(uint64_t addr, uint32_t bytes);

/* ------------------------------------------------------------- threads */

/* The processors that the target is told of, as a mask. */
#define THREADS_PROCESSORS 0xf

/*
 * The task whose pthread_t is `handle`, or -1. Exited and joined tasks are not
 * found: their handle may be reused.
 */
RUNTIME_HIDDEN int runtime_task_by_handle(uint64_t handle);

/*
 * Note the pthread_t of the task created last by the current task, and the
 * start routine. Called by the pthread_create interposer after the real one
 * returned; the new task has not run yet. Returns its id or -1.
 */
RUNTIME_HIDDEN int runtime_name_child(uint64_t handle, uint64_t start_pc);

/* Give the current task (not made by pthread_create: main) its handle. */
RUNTIME_HIDDEN void runtime_set_own_handle(uint64_t handle);

/*
 * Make a blocked task's interruptible operation return early: sets
 * SCHED_TASK_INTERRUPTED on it and takes it out of its wait queue.
 */
RUNTIME_HIDDEN void runtime_interrupt(uint32_t task);

/* ---------------------------------------------------------------- time */

/* Virtual time of a clockid_t in ns; moves on a little at each call. */
RUNTIME_HIDDEN uint64_t runtime_clock_ns(int clock);

/*
 * An absolute deadline on that clock (timespec as user gave it) as virtual
 * CLOCK_MONOTONIC ns; never 0. The caller has checked the fields' ranges.
 */
RUNTIME_HIDDEN uint64_t runtime_deadline_ns(int clock, int64_t sec,
					    int64_t nsec);

/* ------------------------------------------------------------ verdicts */

/*
 * End the run with a finding or a failure of ours. `message` is copied; the
 * pc is where the target was. The first verdict of a run stands. Never returns.
 */
RUNTIME_HIDDEN _Noreturn void runtime_end(enum control_verdict_kind kind,
					  int32_t code, uint32_t object,
					  uint64_t pc, const char *message);

/*
 * Bounded formatter: %s %d %u %x (64-bit values, cast to long / unsigned long)
 * and %%. Returns bytes written without the NUL.
 */
RUNTIME_HIDDEN size_t runtime_format(char *buf, size_t bytes, const char *fmt,
				     ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Set by the mutex interposer around a real lock call that may only succeed,
 * return an error, or block for ever on its own caller: when the address the
 * task then waits for lies in [addr, addr + bytes), that is a self-deadlock.
 * {0, 0} otherwise. See futex.c.
 */
struct runtime_relock {
	uint64_t addr, bytes;
	uint32_t object;
	uint64_t pc;
};
extern RUNTIME_HIDDEN struct runtime_relock runtime_relock;

/* --------------------------------------------------- life of the runtime */

/*
 * Hold the process here: it becomes the zygote, and this returns in each run.
 * At the first thread before main, or at main; from the second time on,
 * nothing.
 */
RUNTIME_HIDDEN void zygote_hold(void);

/* interpose_*.c: look the real functions up with dlsym. Before any trap. */
RUNTIME_HIDDEN void interpose_init(void);

/* interpose_alloc.c: in the zygote, when all libraries are there. */
RUNTIME_HIDDEN void interpose_alloc_start(void);

/*
 * interpose_mutex.c: a task ends; robust mutexes it held can be taken. After
 * the robust list was walked, before anybody else is picked.
 */
RUNTIME_HIDDEN void interpose_task_exited(uint32_t task);

/* interpose_early.c: objects initialised before the run enter its model. */
RUNTIME_HIDDEN void interpose_start_run(void);

#endif /* PRELOAD_RUNTIME_H */
