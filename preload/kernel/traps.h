/* SPDX-License-Identifier: MIT */
/*
 * traps.h - a system call of the target, and who handles it.
 *
 * A system call reaches the runtime by SIGSYS (any site) or by a call from a
 * patched site. Either way it becomes a struct trap and goes to the handler in
 * the table of syscalls.c. To add one, see docs/HOWTO_ADD_SYSCALL.md.
 */
#ifndef PRELOAD_TRAPS_H
#define PRELOAD_TRAPS_H

#include <asm/signal.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>

#include "preload/core/core.h"

struct trap {
	int64_t nr;
	uint64_t arg[6];
	uint64_t site;	/* address after the `syscall` instruction */
	/* The interrupted context; NULL when called from a patched site. */
	struct ucontext *uc;
	bool is_int80;		/* the context holds the call as it was made */
};

/* What trap_fast_entry() leaves on our stack of the task. */
struct trap_fast {
	uint64_t rax, rdi, rsi, rdx, r10, r8, r9;
	uint64_t rbx, r12, r13, r14, r15, rbp;
	uint64_t return_address;	/* in the trampoline */
	uint64_t sp;		/* of the target, where that address is */
};

/* rax and rdx of trap_fast(). */
struct trap_fast_result {
	int64_t value;
	uint64_t is_slow;	/* execute a real `syscall` instead */
};

typedef int64_t trap_handler(struct trap *t);

enum trap_flags {
	/* Works on the signal frame (clone, fork, sigreturn): never fast. */
	TRAP_F_FRAME = 1 << 0,
	/* Numbers of tasks in it (trap_id) are translated before. */
	TRAP_F_PID = 1 << 1,
	/* Changes nothing a test could see: not worth a count. */
	TRAP_F_QUIET = 1 << 2,
	/* What others did before shows in what it returns; see order_call(). */
	TRAP_F_SEES = 1 << 3,
	/* What the task did before shows in what others see from now on. */
	TRAP_F_SHOWS = 1 << 4,
	/* Both by the names and contents of files only. */
	TRAP_F_FILES = 1 << 5,
	/* Of any number of descriptors (poll). */
	TRAP_F_MANY = 1 << 6,
	/* Changes which descriptor a number is, or what names lead to. */
	TRAP_F_TABLE = 1 << 7,
};

/* Whether a call may stop its caller, and how that is avoided. */
enum trap_blocks {
	TRAP_NO_ROW = 0,
	TRAP_NEVER,	/* it answers at once */
	TRAP_MODEL,	/* the task waits in the model, not in the kernel */
	TRAP_READY,	/* waits in the model, and is made when it can be */
	TRAP_DISK,	/* as long as a disk takes; nobody is waited for */
	TRAP_REFUSED,	/* fails */
};

/* What becomes of the call after a signal handler has run; see signal(7). */
enum trap_after {
	TRAP_NO_SIGNAL = 0,	/* no signal interrupts it */
	TRAP_RESTARTS,		/* begins again if the handler has SA_RESTART */
	TRAP_RESUMES,		/* EINTR; goes on when no handler ran */
	TRAP_FAILS,		/* EINTR, whatever the handler's flags */
};

/* What an argument (or the result, TRAP_RESULT) says about processes. */
enum trap_id {
	TRAP_ID_NONE = 0,
	TRAP_ID_NUMBER,		/* of a process, thread or group */
	TRAP_ID_DEPENDS,	/* one by other arguments, or in a struct */
	TRAP_ID_PIDFD,
};
#define TRAP_RESULT 6
#define TRAP_ID(n, kind) ((kind) << 2 * (n))
#define TRAP_FD(n, wait) ((1 + (n)) | (wait) << 4)

struct trap_entry {
	trap_handler *handler;	/* NULL: pass to the kernel */
	uint8_t flags;		/* enum trap_flags */
	uint8_t fd_arg;		/* files.c: 1 + index of the descriptor */
	uint8_t wait;		/* files.c: enum files_wait */
	uint8_t blocks;		/* enum trap_blocks */
	uint8_t after;		/* enum trap_after */
	uint8_t error;		/* errno of a refused call */
	uint16_t ids;		/* enum trap_id of each argument */
};
static_assert(sizeof(struct trap_entry) == 16, "four rows a cache line");

static inline enum trap_id trap_id_of(const struct trap_entry *e, uint32_t n)
{
	return (enum trap_id)(e->ids >> 2 * n & 3);
}

/* syscalls.c: one row per system call, made from syscalls.def. */
extern RUNTIME_HIDDEN const struct trap_entry trap_table[];
RUNTIME_HIDDEN const struct trap_entry *trap_entry(int64_t nr);

/* int80.c: the call that `int $0x80` makes in this context, if it has one. */
RUNTIME_HIDDEN void trap_from_int80(struct trap *t, const struct sigcontext *m);

/* Note where a task stands, as an unwinder or a debugger should see it. */
RUNTIME_HIDDEN void trap_show_context(struct control_task *k,
				      const struct sigcontext *m, uint64_t ip);

/* Such a SIGSYS, by its si_arch. */
static inline bool trap_is_int80(const struct signals_info *info)
{
	return (uint32_t)(info->value >> 32) ==
	       0x40000003 /* AUDIT_ARCH_I386 */;
}

/* Execute it as it is. */
RUNTIME_HIDDEN int64_t trap_pass(struct trap *t);

/* The SIGSYS handler proper, and the way in from patched sites. */
RUNTIME_HIDDEN void trap_sigsys(int sig, struct signals_info *info,
				struct ucontext *uc);
RUNTIME_HIDDEN struct trap_fast_result trap_fast(struct trap_fast *f);
RUNTIME_HIDDEN void trap_fast_entry(void);
/* entry.S: the handlers that the kernel knows, on the alternate stack. */
RUNTIME_HIDDEN void trap_entry_sigsys(void);
RUNTIME_HIDDEN void trap_entry_signal(void);

/* signals_deliver.c: run what is due on return to the context `uc`. */
RUNTIME_HIDDEN void signals_deliver(struct ucontext *uc, int64_t nr,
				    uint64_t restart_ip);

/* spin.c: no more steps of a probe in this context. */
RUNTIME_HIDDEN void spin_stop(struct ucontext *uc);
RUNTIME_HIDDEN bool spin_is_stepping(void);

/* Code of ours: the runtime or a trampoline. */
RUNTIME_HIDDEN bool trap_is_runtime_code(uint64_t ip);
/* The runtime alone. */
RUNTIME_HIDDEN bool trap_is_in_runtime(uint64_t ip);
/*
 * Preempt the current task in a signal handler, at the target's instruction
 * that was interrupted: announce the operation there and choose. One that
 * yields stands behind everybody else. op->pc may be 0: the place is not part
 * of the run's digest then.
 */
RUNTIME_HIDDEN void trap_preempt(struct ucontext *uc,
				 const struct runtime_op *op);

/*
 * signals_fault.c: handlers of SIGSYS and of the others, instead of the plain
 * ones.
 */
RUNTIME_HIDDEN void signals_use_entries(uint64_t sigsys, uint64_t other);
RUNTIME_HIDDEN void signals_enter(int sig, struct signals_info *info,
				  struct ucontext *uc);

/* patch.c */
RUNTIME_HIDDEN void patch_learn(uint64_t site);
/* The site a trampoline address belongs to; 0 when it is none. */
RUNTIME_HIDDEN uint64_t patch_site_of(uint64_t ip);
/* What the site of a trampoline address compares the result with. */
RUNTIME_HIDDEN int64_t patch_limit_of(uint64_t ip);
/* The site, from the return address of a trampoline's call. */
RUNTIME_HIDDEN uint64_t patch_site_of_call(uint64_t return_address);
#define PATCH_CMP_BYTES 6 /* the `cmp $-4095, %rax` that a patch takes over */

/*
 * What a handler returns for -EINTR out of a wait with a time, which is not
 * begun again whatever its row says (the kernel's ERESTART_RESTARTBLOCK); and
 * whether the last one did.
 */
#define TRAP_TIMED_EINTR (-516)
extern RUNTIME_HIDDEN bool trap_was_timed;

/* Handlers, by file. */
trap_handler RUNTIME_HIDDEN trap_refuse;
trap_handler RUNTIME_HIDDEN threads_clone, threads_exit, threads_gettid,
	threads_set_tid_address, threads_set_robust_list,
	threads_get_robust_list, threads_rseq, threads_yield, threads_prctl,
	threads_arch_prctl;
trap_handler RUNTIME_HIDDEN attributes_affinity, attributes_getcpu,
	attributes_priority, attributes_io, attributes_scheduler,
	attributes_prctl;
trap_handler RUNTIME_HIDDEN futex_trap, futex_waitv;
trap_handler RUNTIME_HIDDEN signals_sigaction, signals_sigprocmask,
	signals_sigaltstack, signals_sigpending, signals_sigreturn,
	signals_sigsuspend, signals_sigtimedwait, signals_pause, signals_kill,
	signals_tgkill, signals_tkill, signals_sigqueueinfo, signals_pidfd,
	signals_tgsigqueueinfo, signals_deliver_now;
trap_handler RUNTIME_HIDDEN time_nanosleep, time_clock_nanosleep,
	time_clock_gettime, time_gettimeofday, time_time, time_clock_getres,
	time_alarm, time_setitimer, time_getitimer, time_timer_create,
	time_timer_settime, time_timer_gettime, time_timer_delete,
	time_timer_getoverrun, time_times, time_getrusage;
trap_handler RUNTIME_HIDDEN virtuals_signalfd, virtuals_timerfd,
	virtuals_settime, virtuals_gettime;
trap_handler RUNTIME_HIDDEN files_trap, files_poll, files_ppoll, files_select,
	files_pselect, files_epoll_wait, files_epoll_pwait,
	files_fcntl, files_flock, files_mmap, files_mremap, files_brk,
	files_shmat;
trap_handler RUNTIME_HIDDEN limits_getrlimit, limits_setrlimit, limits_prlimit,
	limits_mlockall;
trap_handler RUNTIME_HIDDEN ipc_get, ipc_semop, ipc_msgsnd, ipc_msgrcv,
	ipc_mq_open, ipc_mq_move, ipc_io_getevents, fifos_mknod;
trap_handler RUNTIME_HIDDEN transfers_connect, transfers_splice, transfers_tee,
	transfers_vmsplice, transfers_sendfile, transfers_setsockopt;
trap_handler RUNTIME_HIDDEN process_fork, process_execve,
	process_wait4, process_waitid, process_exit_group, process_getpid,
	process_getppid, process_getrandom, process_io_uring;
trap_handler RUNTIME_HIDDEN seccomp_call;
/* Whether it is a call about seccomp, which was answered. */
RUNTIME_HIDDEN bool seccomp_prctl(const struct trap *t, int64_t *result);

/* threads.c: what the kernel does to a thread that ends. */
RUNTIME_HIDDEN void threads_make(struct trap *t, uint64_t flags, uint64_t stack,
				 uint64_t parent_tid, uint64_t child_tid,
				 uint64_t tls);
RUNTIME_HIDDEN int threads_by_tid(uint32_t tid);
/* 16 bytes, the last of them 0. */
RUNTIME_HIDDEN void threads_set_name(uint32_t task, const char *name);

/* futex.c: wake as the kernel does on thread exit; no scheduling point. */
RUNTIME_HIDDEN void futex_wake_address(uint64_t addr, uint32_t max);

/* exec.c: whether the tool has been told all of what the call would execute. */
RUNTIME_HIDDEN bool exec_hand_over(const struct trap *t);
/* Whether there is a file that it could execute. */
RUNTIME_HIDDEN bool exec_can_run(const struct trap *t);

/* cpuid.c: let it fault, or not; answer a fault at it. */
RUNTIME_HIDDEN void cpuid_trap(bool is_on);
RUNTIME_HIDDEN bool cpuid_emulate(struct sigcontext *m);

/* process.c: continue as an uncontrolled child with this context. */
/* getrandom: fill the bytes from a generator's state; returns their number. */
RUNTIME_HIDDEN int64_t process_random(uint64_t *state, uint8_t *out,
				      uint64_t bytes);

#endif /* PRELOAD_TRAPS_H */
