/* SPDX-License-Identifier: MIT */
/*
 * order.c - what each operation orders, for the race detector.
 *
 * One place maps kinds of operations to acquires and releases. Where an
 * operation may or may not synchronise (a trylock that fails, a signal that
 * wakes nobody), it counts as if it did: that can hide a race in one schedule,
 * and never invents one.
 */
#include "preload/memory/access.h"
#include "preload/memory/freed.h"

bool order_is_on;
struct races *order_races;
const volatile uint32_t *order_nr_threads;

void order_init(void)
{
	int64_t p = sys_call6(__NR_mmap, 0, races_bytes(), 3,
			      0x4022 /* private, anonymous, no reserve */,
			      (uint64_t)-1, 0);

	order_races = p < 0 && p > -4096 ? NULL : (void *)p;
}

void order_start_run(void)
{
	order_is_on = order_races &&
		      runtime_control->config.flags & CONTROL_F_ACCESS;
	runtime_control->nr_accesses = 0;
	runtime_control->access_given_back = 0;
	if (order_is_on)
		races_init(order_races);
}

void order_fork(uint32_t parent, uint32_t child)
{
	if (!order_is_on)
		return;
	access_second_task();
	races_restart(order_races, child);
	races_fork(order_races, parent, child);
}

bool order_last_exit(void)
{
	const struct scheduler *s = &runtime_control->scheduler;

	if (!order_nr_threads || *order_nr_threads)
		return false;
	for (uint32_t t = 0; t < s->nr_tasks; t++)
		races_join(order_races, s->current, t);
	return true;
}

static void acquire(uint32_t object)
{
	if (object)
		races_acquire(order_races, runtime_self(), object);
}

static void release(uint32_t object)
{
	if (object)
		races_release(order_races, runtime_self(), object);
}

static void release_merge(uint32_t object)
{
	if (object)
		races_release_merge(order_races, runtime_self(), object);
}

/*
 * Who wakes a futex changed its word before, for all to see, so whoever looks
 * while the wake-up is still announced must see what came before, too.
 */
void order_announce(const struct runtime_op *op)
{
	if (op->kind == EXPLORE_OP_FUTEX_WAKE ||
	    op->kind == EXPLORE_OP_FUTEX_REQUEUE) {
		release_merge(op->object);
		release_merge(op->object2);
	}
}

void order_apply(const struct runtime_op *op, bool timed_out)
{
	switch (op->kind) {
	case EXPLORE_OP_THREAD_JOIN:
		if (!timed_out && op->object)
			races_join(order_races, runtime_self(),
				   (uint32_t)scheduler_object(
					   runtime_scheduler(),
					   op->object)->addr);
		break;
	case EXPLORE_OP_MUTEX_LOCK:
	case EXPLORE_OP_MUTEX_TRYLOCK:
	case EXPLORE_OP_MUTEX_TIMEDLOCK:
	case EXPLORE_OP_RWLOCK_RDLOCK:
	case EXPLORE_OP_RWLOCK_TRYRDLOCK:
	case EXPLORE_OP_RWLOCK_TIMEDRDLOCK:
	case EXPLORE_OP_RWLOCK_WRLOCK:
	case EXPLORE_OP_RWLOCK_TRYWRLOCK:
	case EXPLORE_OP_RWLOCK_TIMEDWRLOCK:
	case EXPLORE_OP_SPIN_LOCK:
	case EXPLORE_OP_SPIN_TRYLOCK:
	case EXPLORE_OP_SEM_WAIT:
	case EXPLORE_OP_SEM_TRYWAIT:
	case EXPLORE_OP_SEM_TIMEDWAIT:
	case EXPLORE_OP_SEM_GETVALUE:
	case EXPLORE_OP_BARRIER_LEAVE:
	case EXPLORE_OP_ONCE:
	case EXPLORE_OP_FUTEX_WAIT:
	case EXPLORE_OP_FUTEX_RESUME:
	case EXPLORE_OP_SIGNAL_WAIT:
		acquire(op->object);
		break;
	case EXPLORE_OP_COND_WAKE:
		acquire(op->object);
		acquire(op->object2);
		break;
	case EXPLORE_OP_MUTEX_UNLOCK:
	case EXPLORE_OP_SPIN_UNLOCK:
		release(op->object);
		break;
	case EXPLORE_OP_COND_WAIT:
	case EXPLORE_OP_COND_TIMEDWAIT:
		release(op->object2);
		break;
	case EXPLORE_OP_RWLOCK_UNLOCK:
	case EXPLORE_OP_COND_SIGNAL:
	case EXPLORE_OP_COND_BROADCAST:
	case EXPLORE_OP_SEM_POST:
	case EXPLORE_OP_FUTEX_UNLOCK_PI:
	case EXPLORE_OP_SIGNAL_SEND:
		release_merge(op->object);
		break;
	case EXPLORE_OP_BARRIER_WAIT:
	case EXPLORE_OP_FUTEX_LOCK_PI:
	case EXPLORE_OP_SYSCALL:
		acquire(op->object);
		release_merge(op->object);
		break;
	default:
		break;
	}
}

void runtime_release_order(uint32_t object)
{
	if (order_is_on && runtime_mode == RUNTIME_CONTROLLED)
		release_merge(object);
}

void runtime_acquire_order(uint32_t object)
{
	if (order_is_on && runtime_mode == RUNTIME_CONTROLLED)
		acquire(object);
}

void runtime_forget_memory(uint64_t addr, uint64_t bytes, uint64_t pc)
{
	(void)pc;
	freed_forget(addr, bytes);
	if (order_is_on && runtime_mode == RUNTIME_CONTROLLED && addr)
		races_forget(order_races, addr, bytes);
}

void runtime_note_atomic(uint64_t addr, uint32_t bytes)
{
	struct races_found found;

	if (order_is_on && runtime_mode == RUNTIME_CONTROLLED)
		races_access(order_races, runtime_self(), addr, bytes,
			     RACES_ATOMIC, UINT32_MAX, &found);
}
