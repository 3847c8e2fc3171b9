/* SPDX-License-Identifier: MIT */
/*
 * operations.c - the table of kinds of operations.
 */
#include "scheduler/operations.h"

static const struct operation_kind kinds[EXPLORE_OP_NR] = {
	[EXPLORE_OP_NONE] = { "none", SCHED_CLASS_NONE, 0 },
	[EXPLORE_OP_THREAD_START] = { "thread-start", SCHED_CLASS_THREAD,
		OPERATION_F_AT_INSTRUCTION },
	[EXPLORE_OP_THREAD_CREATE] = { "thread-create", SCHED_CLASS_THREAD, 0 },
	[EXPLORE_OP_THREAD_EXIT] = { "thread-exit", SCHED_CLASS_THREAD, 0 },
	[EXPLORE_OP_THREAD_JOIN] = { "thread-join", SCHED_CLASS_THREAD, 0 },
	[EXPLORE_OP_THREAD_DETACH] = { "thread-detach", SCHED_CLASS_THREAD, 0 },
	[EXPLORE_OP_THREAD_CANCEL] = { "thread-cancel", SCHED_CLASS_THREAD, 0 },
	[EXPLORE_OP_PROCESS_EXIT] = { "process-exit", SCHED_CLASS_NONE, 0 },
	[EXPLORE_OP_MUTEX_INIT] = { "mutex-init", SCHED_CLASS_MUTEX, 0 },
	[EXPLORE_OP_MUTEX_DESTROY] = { "mutex-destroy", SCHED_CLASS_MUTEX, 0 },
	[EXPLORE_OP_MUTEX_LOCK] = { "mutex-lock", SCHED_CLASS_MUTEX, 0 },
	[EXPLORE_OP_MUTEX_TRYLOCK] = { "mutex-trylock", SCHED_CLASS_MUTEX, 0 },
	[EXPLORE_OP_MUTEX_TIMEDLOCK] = { "mutex-timedlock", SCHED_CLASS_MUTEX,
		0 },
	[EXPLORE_OP_MUTEX_UNLOCK] = { "mutex-unlock", SCHED_CLASS_MUTEX, 0 },
	[EXPLORE_OP_RWLOCK_INIT] = { "rwlock-init", SCHED_CLASS_RWLOCK, 0 },
	[EXPLORE_OP_RWLOCK_DESTROY] = { "rwlock-destroy", SCHED_CLASS_RWLOCK,
		0 },
	[EXPLORE_OP_RWLOCK_RDLOCK] = { "rwlock-rdlock", SCHED_CLASS_RWLOCK, 0 },
	[EXPLORE_OP_RWLOCK_TRYRDLOCK] = {
		"rwlock-tryrdlock", SCHED_CLASS_RWLOCK, 0 },
	[EXPLORE_OP_RWLOCK_TIMEDRDLOCK] = {
		"rwlock-timedrdlock", SCHED_CLASS_RWLOCK, 0 },
	[EXPLORE_OP_RWLOCK_WRLOCK] = { "rwlock-wrlock", SCHED_CLASS_RWLOCK, 0 },
	[EXPLORE_OP_RWLOCK_TRYWRLOCK] = {
		"rwlock-trywrlock", SCHED_CLASS_RWLOCK, 0 },
	[EXPLORE_OP_RWLOCK_TIMEDWRLOCK] = {
		"rwlock-timedwrlock", SCHED_CLASS_RWLOCK, 0 },
	[EXPLORE_OP_RWLOCK_UNLOCK] = { "rwlock-unlock", SCHED_CLASS_RWLOCK, 0 },
	[EXPLORE_OP_SPIN_INIT] = { "spin-init", SCHED_CLASS_SPIN, 0 },
	[EXPLORE_OP_SPIN_DESTROY] = { "spin-destroy", SCHED_CLASS_SPIN, 0 },
	[EXPLORE_OP_SPIN_LOCK] = { "spin-lock", SCHED_CLASS_SPIN, 0 },
	[EXPLORE_OP_SPIN_TRYLOCK] = { "spin-trylock", SCHED_CLASS_SPIN, 0 },
	[EXPLORE_OP_SPIN_UNLOCK] = { "spin-unlock", SCHED_CLASS_SPIN, 0 },
	[EXPLORE_OP_COND_INIT] = { "cond-init", SCHED_CLASS_COND, 0 },
	[EXPLORE_OP_COND_DESTROY] = { "cond-destroy", SCHED_CLASS_COND, 0 },
	[EXPLORE_OP_COND_WAIT] = { "cond-wait", SCHED_CLASS_COND, 0 },
	[EXPLORE_OP_COND_TIMEDWAIT] = { "cond-timedwait", SCHED_CLASS_COND, 0 },
	[EXPLORE_OP_COND_WAKE] = { "cond-wake", SCHED_CLASS_COND, 0 },
	[EXPLORE_OP_COND_SIGNAL] = { "cond-signal", SCHED_CLASS_COND, 0 },
	[EXPLORE_OP_COND_BROADCAST] = { "cond-broadcast", SCHED_CLASS_COND, 0 },
	[EXPLORE_OP_SEM_INIT] = { "sem-init", SCHED_CLASS_SEM, 0 },
	[EXPLORE_OP_SEM_DESTROY] = { "sem-destroy", SCHED_CLASS_SEM, 0 },
	[EXPLORE_OP_SEM_WAIT] = { "sem-wait", SCHED_CLASS_SEM, 0 },
	[EXPLORE_OP_SEM_TRYWAIT] = { "sem-trywait", SCHED_CLASS_SEM, 0 },
	[EXPLORE_OP_SEM_TIMEDWAIT] = { "sem-timedwait", SCHED_CLASS_SEM, 0 },
	[EXPLORE_OP_SEM_POST] = { "sem-post", SCHED_CLASS_SEM, 0 },
	[EXPLORE_OP_SEM_GETVALUE] = { "sem-getvalue", SCHED_CLASS_SEM, 0 },
	[EXPLORE_OP_BARRIER_INIT] = { "barrier-init", SCHED_CLASS_BARRIER, 0 },
	[EXPLORE_OP_BARRIER_DESTROY] = { "barrier-destroy", SCHED_CLASS_BARRIER,
		0 },
	[EXPLORE_OP_BARRIER_WAIT] = { "barrier-wait", SCHED_CLASS_BARRIER, 0 },
	[EXPLORE_OP_BARRIER_LEAVE] = { "barrier-leave", SCHED_CLASS_BARRIER,
		0 },
	[EXPLORE_OP_ONCE] = { "once", SCHED_CLASS_ONCE, 0 },
	[EXPLORE_OP_FUTEX_WAIT] = { "futex-wait", SCHED_CLASS_FUTEX, 0 },
	[EXPLORE_OP_FUTEX_RESUME] = { "futex-resume", SCHED_CLASS_FUTEX, 0 },
	[EXPLORE_OP_FUTEX_WAKE] = { "futex-wake", SCHED_CLASS_FUTEX, 0 },
	[EXPLORE_OP_FUTEX_REQUEUE] = { "futex-requeue", SCHED_CLASS_FUTEX, 0 },
	[EXPLORE_OP_FUTEX_LOCK_PI] = { "futex-lock-pi", SCHED_CLASS_FUTEX, 0 },
	[EXPLORE_OP_FUTEX_UNLOCK_PI] = { "futex-unlock-pi", SCHED_CLASS_FUTEX,
		0 },
	[EXPLORE_OP_SIGNAL_SEND] = { "signal-send", SCHED_CLASS_SIGNAL, 0 },
	[EXPLORE_OP_SIGNAL_WAIT] = { "signal-wait", SCHED_CLASS_SIGNAL, 0 },
	[EXPLORE_OP_SIGNAL_DELIVER] = { "signal-deliver", SCHED_CLASS_SIGNAL,
		OPERATION_F_AT_INSTRUCTION },
	[EXPLORE_OP_SYSCALL] = { "syscall", SCHED_CLASS_FD, 0 },
	[EXPLORE_OP_CHILD_WAIT] = { "child-wait", SCHED_CLASS_CHILD, 0 },
	[EXPLORE_OP_FORK] = { "fork", SCHED_CLASS_CHILD, 0 },
	[EXPLORE_OP_EXEC] = { "exec", SCHED_CLASS_CHILD, 0 },
	[EXPLORE_OP_YIELD] = { "yield", SCHED_CLASS_NONE, 0 },
	[EXPLORE_OP_SLEEP] = { "sleep", SCHED_CLASS_NONE, 0 },
	[EXPLORE_OP_SPIN] = { "spin", SCHED_CLASS_NONE,
		OPERATION_F_AT_INSTRUCTION },
	[EXPLORE_OP_TICK] = { "tick", SCHED_CLASS_NONE,
		OPERATION_F_AT_INSTRUCTION },
	[EXPLORE_OP_CHOOSE] = { "choose", SCHED_CLASS_NONE, 0 },
	[EXPLORE_OP_WAKE_ORDER] = { "wake-order", SCHED_CLASS_NONE, 0 },
	[EXPLORE_OP_MEMORY_READ] = { "memory-read", SCHED_CLASS_MEMORY,
		OPERATION_F_AT_INSTRUCTION },
	[EXPLORE_OP_MEMORY_WRITE] = { "memory-write", SCHED_CLASS_MEMORY,
		OPERATION_F_AT_INSTRUCTION },
	[EXPLORE_OP_ATOMIC_READ] = { "atomic-read", SCHED_CLASS_MEMORY,
		OPERATION_F_AT_INSTRUCTION },
	[EXPLORE_OP_ATOMIC_WRITE] = { "atomic-write", SCHED_CLASS_MEMORY,
		OPERATION_F_AT_INSTRUCTION },
	[EXPLORE_OP_ATOMIC_RMW] = { "atomic-rmw", SCHED_CLASS_MEMORY,
		OPERATION_F_AT_INSTRUCTION },
};

const struct operation_kind *operation_kind(uint16_t kind)
{
	static const struct operation_kind unknown = { .name = "unknown" };

	if (kind >= EXPLORE_OP_NR || !kinds[kind].name)
		return &unknown;
	return &kinds[kind];
}
