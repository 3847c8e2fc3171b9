/* SPDX-License-Identifier: MIT */
/*
 * signals.h - what the files of the signals share: dispositions, the queue,
 * the frames of handlers.
 *
 * Masks, pending sets and alternate stacks are per task and virtual: the
 * carrier blocks nothing. A signal that one task sends another, or that comes
 * from outside, becomes pending in the model (signals_queue.c); the receiving
 * task runs its handler on return from a trap, on a frame like the kernel's
 * (signals_deliver.c). So delivery happens at operations only and replays
 * exactly. Faults (SIGSEGV, ...) are delivered on the spot (signals_fault.c).
 * The system calls are in signals_calls.c.
 */
#ifndef PRELOAD_SIGNALS_H
#define PRELOAD_SIGNALS_H

#include "preload/kernel/files.h"

/* What rt_sigaction takes: the kernel's struct sigaction. */
struct action {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

#define NR_SIGNALS 64
#define FATAL_FAULTS (SIGNALS_BIT(SIGSEGV) | SIGNALS_BIT(SIGBUS) |  \
		      SIGNALS_BIT(SIGFPE) | SIGNALS_BIT(SIGILL) | \
		      SIGNALS_BIT(SIGTRAP) | SIGNALS_BIT(SIGABRT))
#define UNBLOCKABLE (SIGNALS_BIT(SIGKILL) | SIGNALS_BIT(SIGSTOP))
#define RESTORER_FLAG 0x04000000ull	/* SA_RESTORER */
#define ONSTACK_FLAG 0x08000000ull
#define RESTART_FLAG 0x10000000ull
#define NODEFER_FLAG 0x40000000ull
#define RESETHAND_FLAG 0x80000000ull

/* Private memory: each run starts with the zygote's copy. */
extern RUNTIME_HIDDEN struct action signals_action[NR_SIGNALS + 1];

/* si_code */
#define SIGNALS_CODE_USER 0
#define SIGNALS_CODE_KERNEL 0x80
#define SIGNALS_CODE_TIMER (-2)
#define SIGNALS_CODE_TKILL (-6)
#define SIGNALS_CHILD_STOPPED 5 /* CLD_STOPPED, and CONTINUED behind it */

/* How many have become pending so far. */
extern RUNTIME_HIDDEN uint64_t signals_nr_posted;

/* Whether it does nothing when it is delivered. */
RUNTIME_HIDDEN bool signals_is_ignored(int sig);
/* Whether it stops the process when it is delivered. */
RUNTIME_HIDDEN bool signals_is_stop(int sig);
/* Stop the process, for somebody outside to let it go on. */
RUNTIME_HIDDEN void signals_stop(void);
/* All that is pending for the task, blocked or not. */
RUNTIME_HIDDEN uint64_t signals_pending_for(uint32_t t);
/* One of that number, code and sender is pending, for whomever. */
RUNTIME_HIDDEN bool signals_is_queued(const struct signals_info *info);
/* Nobody gets those that are pending. */
RUNTIME_HIDDEN void signals_discard(uint64_t set);
/* In the kernel's handler, which blocks all others: it came from outside. */
RUNTIME_HIDDEN void signals_note_arrival(const struct signals_info *info);

/* --------------------------------------------------- signals_deliver.c */

/* Let `uc` continue in the handler, which returns to what `uc` was. */
RUNTIME_HIDDEN void signals_push_handler(struct ucontext *uc,
					 const struct action *a,
					 const struct signals_info *info);
/* End the run: the default action of the signal. */
RUNTIME_HIDDEN _Noreturn void signals_die(const struct signals_info *info,
					  const struct sigcontext *m,
					  uint64_t addr);
/* Bytes of what the kernel saved of the FPU. */
RUNTIME_HIDDEN uint64_t signals_fp_bytes(const void *fp);
/* Forget the message of an assertion of an earlier run. */
RUNTIME_HIDDEN void signals_forget_assert(void);

/* ----------------------------------------------------- signals_fault.c */

/* The stack of the handlers of faults. */
#define SIGNALS_ALTSTACK_BYTES 65536u
extern RUNTIME_HIDDEN uint64_t signals_altstack_low;
/* main's mask, as the tool left it. */
extern RUNTIME_HIDDEN uint64_t signals_initial_mask;
/* What the kernel has to do for the target's wish. */
RUNTIME_HIDDEN void signals_install(int sig);

#endif /* PRELOAD_SIGNALS_H */
