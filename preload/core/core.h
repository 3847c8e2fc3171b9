/* SPDX-License-Identifier: MIT */
/*
 * core.h - for the .c files of preload/ but the interposers: the task switch,
 * the end of a run, and what the trap handlers share.
 */
#ifndef PRELOAD_CORE_H
#define PRELOAD_CORE_H

#include "preload/core/runtime.h"
#include "preload/arch/sys.h"

#define CORE_ALIGN_UP(x, a) (((x) + (a) - 1) & ~((uint64_t)(a) - 1))

/* ----------------------------------------------------- the task switch */

/* What core_enter() leaves on a task's stack; saved_sp points at it. */
struct core_frame {
	uint32_t mxcsr;
	uint16_t fpcw, pad;
	uint64_t r15, r14, r13, r12, rbx, rbp;
	uint64_t ip;
};
static_assert(sizeof(struct core_frame) == 64, "entry.S builds it");

/*
 * stacks.c: the runtime's stack of each task. What runs in a task's place runs
 * there, but for interposed functions; see also core_on_own_stack().
 */
RUNTIME_HIDDEN void stacks_init(void);
/* Its top; 16-byte aligned. */
RUNTIME_HIDDEN uint64_t core_stack_of(uint32_t t);
RUNTIME_HIDDEN bool core_is_on_stack_of(uint32_t t, uint64_t sp);
/* The current task's, for entry.S. */
extern RUNTIME_HIDDEN uint64_t core_task_top;
/* entry.S: fn(arg) there. */
RUNTIME_HIDDEN bool core_on_own_stack(bool (*fn)(const struct runtime_op *),
				      const struct runtime_op *arg);
/* The stack on which the choice is made. */
RUNTIME_HIDDEN bool core_is_on_choice_stack(uint64_t sp);

/* Top of the stack on which the choice is made; 16-byte aligned. */
/* The top of the stack that choices are made on. */
#define CORE_STACK_BYTES (1u << 20)
extern RUNTIME_HIDDEN uint64_t core_stack_top;

/* entry.S: choose who is next and continue there. */
RUNTIME_HIDDEN void core_enter(void);
/* entry.S: fn(arg) on the runtime's stack. */
RUNTIME_HIDDEN void core_call(void (*fn)(void *), void *arg);
/* By task, when it does not run. */
extern RUNTIME_HIDDEN uint64_t core_gs[SCHED_MAX_TASKS];
/* Whether any task has one: some save it by instructions, some by a call. */
extern RUNTIME_HIDDEN bool core_keeps_gs;
/* Called by core_enter() only. */
RUNTIME_HIDDEN uint64_t core_schedule(uint64_t saved_sp);

/* Map the runtime's stack; once, before the first run. */
RUNTIME_HIDDEN void core_init(void);

/* Start a run in the freshly forked process: model, strategy, main task. */
RUNTIME_HIDDEN void core_start_run(void);

/* The operation's description for the scheduler; no choice is made yet. */
RUNTIME_HIDDEN void core_announce(const struct runtime_op *op);

/* announce + choose, without looking at signals afterwards. */
RUNTIME_HIDDEN bool core_point(const struct runtime_op *op);

/*
 * misuse.c: the operation is carried out now. Ends the run when its object is
 * destroyed, or lies in freed memory.
 */
RUNTIME_HIDDEN void misuse_check(const struct runtime_op *op);
/* Nobody can run. Ends the run when one waits for what was freed. */
RUNTIME_HIDDEN void misuse_check_waiters(const struct scheduler *s);

/* The strategy environment of this process. */
extern RUNTIME_HIDDEN struct scheduler_env core_env;

/*
 * In a replay, the recorded next event of the current task; NULL: there is no
 * other before the recorded end.
 */
RUNTIME_HIDDEN const struct sched_event *core_recorded(void);

static inline struct control_task *core_task(uint32_t t)
{
	return &runtime_control->task[t];
}

static inline struct control_task *core_self(void)
{
	return &runtime_control->task[runtime_self()];
}

/* ------------------------------------------------------------- modules */

/* Fill the module table from the dynamic linker. In the zygote. */
RUNTIME_HIDDEN void modules_init(void);
/* Note a file mapped executable during a run (dlopen). */
RUNTIME_HIDDEN void modules_add_mapping(uint64_t start, uint64_t bytes, int fd,
					uint64_t file_offset);
/* A stable name for a code address; 0 outside all modules. */
RUNTIME_HIDDEN uint32_t modules_site(uint64_t pc);

/* ------------------------------------------------------------- threads */

/* What libc told the kernel of main: taken in, in the zygote; handed on. */
RUNTIME_HIDDEN void threads_init(void);
RUNTIME_HIDDEN void threads_start_run(void);

/* ---------------------------------------------------------------- time */

/* What a clock shows at a virtual time. */
RUNTIME_HIDDEN uint64_t time_of_clock(int clock, uint64_t now);
/* The task is to be charged with the processor time since it began to run. */
RUNTIME_HIDDEN void time_count(uint32_t task);
/* Real CLOCK_MONOTONIC, for idle waits only. */
RUNTIME_HIDDEN uint64_t time_real_ns(void);
/* Make vDSO functions enter the runtime. In the zygote. */
RUNTIME_HIDDEN void time_patch_vdso_at(char *base);
/* Where the vDSO lies. */
extern RUNTIME_HIDDEN uint64_t time_vdso_start, time_vdso_bytes;
/* Whether the vDSO answers for that clock without a system call. */
RUNTIME_HIDDEN bool time_is_of_vdso(uint64_t clock);
/* Virtual interval timers: forget those of the last run. */
RUNTIME_HIDDEN void timers_reset(void);
/*
 * Fire what is due; returns true if anything was. The earliest expiry is the
 * scheduler's alarm.
 */
RUNTIME_HIDDEN bool timers_fire(void);
static inline uint64_t timers_next(void)
{
	return runtime_control->scheduler.alarm_ns;
}

/* ------------------------------------------------------------- signals */

#define SIGNALS_BIT(sig) (1ull << ((sig) - 1))
#define SIGNALS_CANCEL 32	/* the C library's, for pthread_cancel */
#define SIGNALS_PROBE 23	/* SIGURG: ignored by default, rarely used */

/* Install the runtime's own handlers. In the zygote. */
RUNTIME_HIDDEN void signals_init(void);
RUNTIME_HIDDEN void signals_start_run(void);
/* Make `sig` pending for a task, or with task == -1 for the process. */
struct signals_info {
	int32_t signo, error, code, pad;
	int32_t pid, uid;
	uint64_t value;
	uint8_t rest[128 - 32];
};
static_assert(sizeof(struct signals_info) == 128, "the kernel's siginfo_t");
/* -EAGAIN: too many are pending. */
RUNTIME_HIDDEN int64_t signals_post(int task, const struct signals_info *info);
/* Pending for the process. */
extern RUNTIME_HIDDEN uint64_t signals_pending;
/* Whether a handler (or a default action) is due for the current task. */
static inline bool signals_are_due(void)
{
	const struct control_task *k = core_self();

	return (k->sigpending | signals_pending) & ~k->sigmask;
}
/*
 * Around the making of a child: what is sent to it before it has the target's
 * dispositions and mask waits for these.
 */
RUNTIME_HIDDEN void signals_hold(bool is_on);
/* External signals that the handler noted, and taking them into the model. */
extern RUNTIME_HIDDEN volatile uint64_t signals_arrived;
RUNTIME_HIDDEN void signals_take_in(void);
/* Likewise if the kernel sent one because of a call: SIGPIPE, SIGXFSZ. */
RUNTIME_HIDDEN void signals_take_in_own(void);
static inline void signals_collect(void)
{
	if (__builtin_expect(signals_arrived != 0, 0))
		signals_take_in();
}
/* Take one pending signal out of `set`, for sigtimedwait. 0: none. */
RUNTIME_HIDDEN int signals_take(uint64_t set, struct signals_info *info);
/*
 * Some signal may be due for a task that stands at an operation. Who stands at
 * one that blocks, or was announced with SCHED_TASK_HANDLES, is at a
 * SIGNAL_DELIVER instead from signals_tell() on; SCHED_TASK_INTERRUPTED then
 * says that the operation had to wait.
 */
extern RUNTIME_HIDDEN bool signals_have_news;
RUNTIME_HIDDEN void signals_tell_all(void);
static inline void signals_tell(void)
{
	if (__builtin_expect(signals_have_news, 0))
		signals_tell_all();
}
/*
 * Those of `set` that were sent to the process and given to task t, which
 * blocks them now or ended, go to others.
 */
RUNTIME_HIDDEN void signals_retarget(uint32_t t, uint64_t set);
/* Whether one in `set` is pending for task t or the process. */
RUNTIME_HIDDEN bool signals_has(uint32_t t, uint64_t set);
RUNTIME_HIDDEN bool signals_would_interrupt(uint32_t t);
/* Which the target ignores, and for which it has a handler. */
RUNTIME_HIDDEN void signals_dispositions(uint64_t *ignored, uint64_t *caught);

/* process.c: children that this process made are alive. */
RUNTIME_HIDDEN bool process_has_children(void);

/* --------------------------------------------------------------- spin.c */

/* In a replay: a probe met the current task before its next operation. */
extern RUNTIME_HIDDEN bool spin_is_due;
/* Find out, when a task was picked. */
RUNTIME_HIDDEN void spin_look_ahead(void);
/* It is due: give way here. */
RUNTIME_HIDDEN void spin_now(void);

/* --------------------------------------------------------------- traps */

/* Trap system calls of this kernel thread from now on. */
RUNTIME_HIDDEN int64_t trap_arm(void);
RUNTIME_HIDDEN void trap_disarm(void);
/* What the processor says by itself (rdtsc, cpuid) comes to the runtime. */
RUNTIME_HIDDEN void process_trap_cpu(void);
/* Answer for what constructors ask, in the zygote, from here to there. */
RUNTIME_HIDDEN void startup_begin(void);
RUNTIME_HIDDEN void startup_end(void);
/* exec.c: note what the target may inherit. In the zygote. */
RUNTIME_HIDDEN void exec_init(void);
/* Patch the sites that runs have learned. In the zygote, before a fork. */
RUNTIME_HIDDEN void patch_apply(void);

/* ----------------------------------------------------------- the world */

/*
 * Refresh SCHED_TASK_READY of tasks that wait for descriptors and children.
 * With wait_ns, really wait up to that long for one of them. Returns whether
 * any task is ready.
 */
extern RUNTIME_HIDDEN uint32_t files_nr_waits;
RUNTIME_HIDDEN bool files_look(uint64_t wait_ns);
/* Whether a child of the target runs, natively. */
RUNTIME_HIDDEN bool process_has_live_child(void);
static inline bool files_refresh(uint64_t wait_ns)
{
	return __builtin_expect(files_nr_waits != 0, 0) && files_look(wait_ns);
}

/* ---------------------------------------------------------------- text */

RUNTIME_HIDDEN size_t core_strlen(const char *s);
RUNTIME_HIDDEN bool core_has_prefix(const char *s, const char *prefix);
RUNTIME_HIDDEN bool core_streq(const char *a, const char *b);
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

/* --------------------------------------------------------- process.c */

/* Where a sequence for process_random() begins, by the search's seed. */
enum process_random_salt {
	PROCESS_RANDOM_MAIN = 1,
	PROCESS_RANDOM_STARTUP = 2,
	PROCESS_RANDOM_AT_RANDOM = 3,	/* and 4 */
};
RUNTIME_HIDDEN uint64_t process_random_state(uint64_t salt);

#endif /* PRELOAD_CORE_H */
