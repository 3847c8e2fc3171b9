/* SPDX-License-Identifier: MIT */
/*
 * names.c - verdicts and operations as text.
 *
 * The names stand in trace.json, so they are part of the trace format: never
 * rename one.
 */
#include "recorder/trace.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const char *const verdict_names[] = {
	[CONTROL_VERDICT_NONE] = "none",
	[CONTROL_VERDICT_EXIT] = "exit",
	[CONTROL_VERDICT_CRASH] = "crash",
	[CONTROL_VERDICT_ABORT] = "abort",
	[CONTROL_VERDICT_ASSERT] = "assertion",
	[CONTROL_VERDICT_DEADLOCK] = "deadlock",
	[CONTROL_VERDICT_PARTIAL_DEADLOCK] = "partial-deadlock",
	[CONTROL_VERDICT_SELF_DEADLOCK] = "self-deadlock",
	[CONTROL_VERDICT_LIVELOCK] = "livelock",
	[CONTROL_VERDICT_STEP_LIMIT] = "step-limit",
	[CONTROL_VERDICT_MISUSE] = "misuse",
	[CONTROL_VERDICT_FAIL] = "explore-fail",
	[CONTROL_VERDICT_TIMEOUT] = "timeout",
	[CONTROL_VERDICT_RACE] = "data-race",
	[CONTROL_VERDICT_DIVERGED] = "diverged",
	[CONTROL_VERDICT_BAD_PICK] = "bad-pick",
	[CONTROL_VERDICT_INTERNAL] = "internal-error",
	[CONTROL_VERDICT_EXEC] = "exec",
	[CONTROL_VERDICT_WATCH] = "watch",
};

static const char *const op_names[EXPLORE_OP_NR] = {
	[EXPLORE_OP_NONE] = "none",
	[EXPLORE_OP_THREAD_START] = "thread-start",
	[EXPLORE_OP_THREAD_CREATE] = "thread-create",
	[EXPLORE_OP_THREAD_EXIT] = "thread-exit",
	[EXPLORE_OP_THREAD_JOIN] = "thread-join",
	[EXPLORE_OP_THREAD_DETACH] = "thread-detach",
	[EXPLORE_OP_THREAD_CANCEL] = "thread-cancel",
	[EXPLORE_OP_PROCESS_EXIT] = "process-exit",
	[EXPLORE_OP_MUTEX_INIT] = "mutex-init",
	[EXPLORE_OP_MUTEX_DESTROY] = "mutex-destroy",
	[EXPLORE_OP_MUTEX_LOCK] = "mutex-lock",
	[EXPLORE_OP_MUTEX_TRYLOCK] = "mutex-trylock",
	[EXPLORE_OP_MUTEX_TIMEDLOCK] = "mutex-timedlock",
	[EXPLORE_OP_MUTEX_UNLOCK] = "mutex-unlock",
	[EXPLORE_OP_RWLOCK_INIT] = "rwlock-init",
	[EXPLORE_OP_RWLOCK_DESTROY] = "rwlock-destroy",
	[EXPLORE_OP_RWLOCK_RDLOCK] = "rwlock-rdlock",
	[EXPLORE_OP_RWLOCK_TRYRDLOCK] = "rwlock-tryrdlock",
	[EXPLORE_OP_RWLOCK_TIMEDRDLOCK] = "rwlock-timedrdlock",
	[EXPLORE_OP_RWLOCK_WRLOCK] = "rwlock-wrlock",
	[EXPLORE_OP_RWLOCK_TRYWRLOCK] = "rwlock-trywrlock",
	[EXPLORE_OP_RWLOCK_TIMEDWRLOCK] = "rwlock-timedwrlock",
	[EXPLORE_OP_RWLOCK_UNLOCK] = "rwlock-unlock",
	[EXPLORE_OP_SPIN_INIT] = "spin-init",
	[EXPLORE_OP_SPIN_DESTROY] = "spin-destroy",
	[EXPLORE_OP_SPIN_LOCK] = "spin-lock",
	[EXPLORE_OP_SPIN_TRYLOCK] = "spin-trylock",
	[EXPLORE_OP_SPIN_UNLOCK] = "spin-unlock",
	[EXPLORE_OP_COND_INIT] = "cond-init",
	[EXPLORE_OP_COND_DESTROY] = "cond-destroy",
	[EXPLORE_OP_COND_WAIT] = "cond-wait",
	[EXPLORE_OP_COND_TIMEDWAIT] = "cond-timedwait",
	[EXPLORE_OP_COND_WAKE] = "cond-wake",
	[EXPLORE_OP_COND_SIGNAL] = "cond-signal",
	[EXPLORE_OP_COND_BROADCAST] = "cond-broadcast",
	[EXPLORE_OP_SEM_INIT] = "sem-init",
	[EXPLORE_OP_SEM_DESTROY] = "sem-destroy",
	[EXPLORE_OP_SEM_WAIT] = "sem-wait",
	[EXPLORE_OP_SEM_TRYWAIT] = "sem-trywait",
	[EXPLORE_OP_SEM_TIMEDWAIT] = "sem-timedwait",
	[EXPLORE_OP_SEM_POST] = "sem-post",
	[EXPLORE_OP_SEM_GETVALUE] = "sem-getvalue",
	[EXPLORE_OP_BARRIER_INIT] = "barrier-init",
	[EXPLORE_OP_BARRIER_DESTROY] = "barrier-destroy",
	[EXPLORE_OP_BARRIER_WAIT] = "barrier-wait",
	[EXPLORE_OP_BARRIER_LEAVE] = "barrier-leave",
	[EXPLORE_OP_ONCE] = "once",
	[EXPLORE_OP_FUTEX_WAIT] = "futex-wait",
	[EXPLORE_OP_FUTEX_RESUME] = "futex-resume",
	[EXPLORE_OP_FUTEX_WAKE] = "futex-wake",
	[EXPLORE_OP_FUTEX_REQUEUE] = "futex-requeue",
	[EXPLORE_OP_FUTEX_LOCK_PI] = "futex-lock-pi",
	[EXPLORE_OP_FUTEX_UNLOCK_PI] = "futex-unlock-pi",
	[EXPLORE_OP_SIGNAL_SEND] = "signal-send",
	[EXPLORE_OP_SIGNAL_WAIT] = "signal-wait",
	[EXPLORE_OP_SIGNAL_DELIVER] = "signal-deliver",
	[EXPLORE_OP_SYSCALL] = "syscall",
	[EXPLORE_OP_CHILD_WAIT] = "child-wait",
	[EXPLORE_OP_FORK] = "fork",
	[EXPLORE_OP_EXEC] = "exec",
	[EXPLORE_OP_YIELD] = "yield",
	[EXPLORE_OP_SLEEP] = "sleep",
	[EXPLORE_OP_SPIN] = "spin",
	[EXPLORE_OP_TICK] = "tick",
	[EXPLORE_OP_CHOOSE] = "choose",
	[EXPLORE_OP_WAKE_ORDER] = "wake-order",
	[EXPLORE_OP_MEMORY_READ] = "memory-read",
	[EXPLORE_OP_MEMORY_WRITE] = "memory-write",
	[EXPLORE_OP_ATOMIC_READ] = "atomic-read",
	[EXPLORE_OP_ATOMIC_WRITE] = "atomic-write",
	[EXPLORE_OP_ATOMIC_RMW] = "atomic-rmw",
};

const char *trace_verdict_name(enum control_verdict_kind kind)
{
	const char *name = NULL;

	if ((unsigned int)kind < NR(verdict_names))
		name = verdict_names[kind];
	return name ? name : "unknown";
}

const char *trace_op_name(enum explore_op_kind kind)
{
	const char *name = NULL;

	if ((unsigned int)kind < NR(op_names))
		name = op_names[kind];
	return name ? name : "unknown";
}
