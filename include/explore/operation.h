/* SPDX-License-Identifier: MIT */
/*
 * operation.h - the vocabulary: what a task can be about to do.
 *
 * A task announces its next operation before it executes it, and stops there.
 * Strategies choose among announced operations, traces list executed ones.
 * The values are part of the trace format and of the strategy ABI: append
 * only, never renumber.
 */
#ifndef EXPLORE_OPERATION_H
#define EXPLORE_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

enum explore_op_kind {
	EXPLORE_OP_NONE = 0,

	/* Threads. The object is the other task's thread object. */
	EXPLORE_OP_THREAD_START = 1,	/* the first step of a new task */
	EXPLORE_OP_THREAD_CREATE = 2,
	EXPLORE_OP_THREAD_EXIT = 3,
	EXPLORE_OP_THREAD_JOIN = 4,
	EXPLORE_OP_THREAD_DETACH = 5,
	EXPLORE_OP_THREAD_CANCEL = 6,
	EXPLORE_OP_PROCESS_EXIT = 7,

	EXPLORE_OP_MUTEX_INIT = 10,
	EXPLORE_OP_MUTEX_DESTROY = 11,
	EXPLORE_OP_MUTEX_LOCK = 12,
	EXPLORE_OP_MUTEX_TRYLOCK = 13,
	EXPLORE_OP_MUTEX_TIMEDLOCK = 14,
	EXPLORE_OP_MUTEX_UNLOCK = 15,

	EXPLORE_OP_RWLOCK_INIT = 20,
	EXPLORE_OP_RWLOCK_DESTROY = 21,
	EXPLORE_OP_RWLOCK_RDLOCK = 22,
	EXPLORE_OP_RWLOCK_TRYRDLOCK = 23,
	EXPLORE_OP_RWLOCK_TIMEDRDLOCK = 24,
	EXPLORE_OP_RWLOCK_WRLOCK = 25,
	EXPLORE_OP_RWLOCK_TRYWRLOCK = 26,
	EXPLORE_OP_RWLOCK_TIMEDWRLOCK = 27,
	EXPLORE_OP_RWLOCK_UNLOCK = 28,

	EXPLORE_OP_SPIN_INIT = 30,
	EXPLORE_OP_SPIN_DESTROY = 31,
	EXPLORE_OP_SPIN_LOCK = 32,
	EXPLORE_OP_SPIN_TRYLOCK = 33,
	EXPLORE_OP_SPIN_UNLOCK = 34,

	/*
	 * A wait is two operations: COND_WAIT gives up the mutex and joins the
	 * waiters; COND_WAKE returns, and is enabled once the task was woken
	 * (or timed out) and the mutex is free. object = cond, object2 = mutex.
	 */
	EXPLORE_OP_COND_INIT = 40,
	EXPLORE_OP_COND_DESTROY = 41,
	EXPLORE_OP_COND_WAIT = 42,
	EXPLORE_OP_COND_TIMEDWAIT = 43,
	EXPLORE_OP_COND_WAKE = 44,
	EXPLORE_OP_COND_SIGNAL = 45,
	EXPLORE_OP_COND_BROADCAST = 46,

	EXPLORE_OP_SEM_INIT = 50,
	EXPLORE_OP_SEM_DESTROY = 51,
	EXPLORE_OP_SEM_WAIT = 52,
	EXPLORE_OP_SEM_TRYWAIT = 53,
	EXPLORE_OP_SEM_TIMEDWAIT = 54,
	EXPLORE_OP_SEM_POST = 55,
	EXPLORE_OP_SEM_GETVALUE = 56,

	/*
	 * The last arrival is one operation (BARRIER_WAIT); every other task
	 * has a second one, BARRIER_LEAVE, enabled when the last arrived.
	 */
	EXPLORE_OP_BARRIER_INIT = 60,
	EXPLORE_OP_BARRIER_DESTROY = 61,
	EXPLORE_OP_BARRIER_WAIT = 62,
	EXPLORE_OP_BARRIER_LEAVE = 63,

	EXPLORE_OP_ONCE = 70,

	/*
	 * FUTEX_WAIT compares and joins the queue; FUTEX_RESUME returns from
	 * it, enabled once woken, timed out or interrupted.
	 */
	EXPLORE_OP_FUTEX_WAIT = 80,
	EXPLORE_OP_FUTEX_RESUME = 81,
	EXPLORE_OP_FUTEX_WAKE = 82,
	EXPLORE_OP_FUTEX_REQUEUE = 83,
	EXPLORE_OP_FUTEX_LOCK_PI = 84,
	EXPLORE_OP_FUTEX_UNLOCK_PI = 85,

	EXPLORE_OP_SIGNAL_SEND = 90,
	EXPLORE_OP_SIGNAL_WAIT = 91,	/* pause, sigsuspend, sigtimedwait */
	EXPLORE_OP_SIGNAL_DELIVER = 92,

	EXPLORE_OP_SYSCALL = 100,	/* on a descriptor: object = the fd */
	EXPLORE_OP_CHILD_WAIT = 101,
	EXPLORE_OP_FORK = 102,
	EXPLORE_OP_EXEC = 103,

	EXPLORE_OP_YIELD = 110,
	EXPLORE_OP_SLEEP = 111,
	/* Caught in a loop that cannot end alone */
	EXPLORE_OP_SPIN = 112,
	EXPLORE_OP_TICK = 113,		/* preempted by the clock */

	EXPLORE_OP_CHOOSE = 120,	/* explore_choose() */
	EXPLORE_OP_WAKE_ORDER = 121,	/* which waiter is woken */

	EXPLORE_OP_MEMORY_READ = 130,
	EXPLORE_OP_MEMORY_WRITE = 131,
	EXPLORE_OP_ATOMIC_READ = 132,
	EXPLORE_OP_ATOMIC_WRITE = 133,
	EXPLORE_OP_ATOMIC_RMW = 134,

	EXPLORE_OP_NR = 144		/* room for counters by kind */
};

enum explore_op_flags {
	/* Two operations on one object commute unless one of them writes. */
	EXPLORE_OP_F_WRITES = 1 << 0,
	/*
	 * Gives way: yield, sleep, spin. Switching after it is no preemption.
	 */
	EXPLORE_OP_F_YIELDS = 1 << 1,
	/*
	 * Would run because its deadline has passed, not because it was woken.
	 */
	EXPLORE_OP_F_TIMEOUT = 1 << 2,
	/* Can block at all (lock, wait, join, read). */
	EXPLORE_OP_F_BLOCKING = 1 << 3,
	/*
	 * With YIELDS: its task is proved to be where it was before, and to
	 * have changed nothing since.
	 */
	EXPLORE_OP_F_IDLE = 1 << 4,
	/* A look from outside found it; the task did not come there itself. */
	EXPLORE_OP_F_PROBED = 1 << 5,
};

/* One announced operation, as strategies and observers see it. */
struct explore_op {
	uint16_t kind;		/* enum explore_op_kind */
	uint16_t flags;		/* enum explore_op_flags */
	uint32_t task;		/* by order of creation, main is 0 */
	uint32_t object;	/* by order of first use, from 1; 0 is none */
	uint32_t object2;	/* the mutex of a wait; 0 is none */
	/* Stable hash of module and offset; 0 unknown */
	uint32_t site;
	uint32_t reserved;
};

/* Whether the order of the two operations can matter to anyone. */
static inline bool explore_op_is_dependent(const struct explore_op *a,
					   const struct explore_op *b)
{
	bool shares = (a->object && (a->object == b->object ||
				     a->object == b->object2)) ||
		      (a->object2 && (a->object2 == b->object ||
				      a->object2 == b->object2));

	return a->task == b->task ||
	       (shares && ((a->flags | b->flags) & EXPLORE_OP_F_WRITES));
}

#endif /* EXPLORE_OPERATION_H */
