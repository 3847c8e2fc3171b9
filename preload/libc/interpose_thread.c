/* SPDX-License-Identifier: MIT */
/*
 * interpose_thread.c - creating, joining, detaching and cancelling threads.
 *
 * Threads are the C library's: it allocates their stacks and control blocks
 * and calls clone, which the runtime makes a task of. What is interposed are
 * the scheduling points, and waiting: a join is announced and enabled once the
 * task has ended, so the real join finds it dead and does not block.
 * pthread_exit and pthread_kill need nothing here, their system calls do.
 *
 * What may be added here: forwarding, and telling the model what the real
 * call did.
 */
#include "preload/libc/interpose.h"

#include <errno.h>

uint32_t interpose__thread_object(uint32_t t, uint64_t pc)
{
	return runtime_object(SCHED_CLASS_THREAD, (void *)(uintptr_t)t, pc);
}

static struct sched_task *task_of(uint32_t t)
{
	return scheduler_task(runtime_scheduler(), t);
}

/* ------------------------------------------------------------- creation */

RUNTIME_EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
				  void *(*start)(void *), void *arg)
{
	int r, t, detached = PTHREAD_CREATE_JOINABLE;

	if (!runtime_is_on())
		zygote_hold();	/* the first, before main */
	if (!runtime_is_on())
		return interpose__native()->pthread_create(thread, attr, start,
							   arg);
	interpose__point(EXPLORE_OP_THREAD_CREATE, 0, RUNTIME_CALLER);
	r = real.pthread_create(thread, attr, start, arg);
	if (r)
		return r;
	t = runtime_name_child((uint64_t)*thread, (uint64_t)(uintptr_t)start);
	if (t >= 0 && attr && !pthread_attr_getdetachstate(attr, &detached) &&
	    detached == PTHREAD_CREATE_DETACHED)
		task_of((uint32_t)t)->flags |= SCHED_TASK_DETACHED;
	return 0;
}

/* -------------------------------------------------------------- joining */

int interpose__await(uint32_t t, uint64_t deadline_ns, uint64_t pc)
{
	const struct sched_task *target = task_of(t);
	const struct runtime_op op = {
		.kind = EXPLORE_OP_THREAD_JOIN,
		.object = interpose__thread_object(t, pc),
		.pc = pc,
		.deadline_ns = deadline_ns,
	};

	interpose__uninterrupted(pc);
	for (;;) {
		bool timed_out = runtime_point(&op);

		if (target->flags & SCHED_TASK_JOINED)
			return EINVAL;
		if (target->state == SCHED_TASK_DEAD)
			return 0;
		if (timed_out)
			return ETIMEDOUT;
		interpose__was_interrupted();
	}
}

/* Who can be waited for here; the real call knows what is wrong with others. */
static int joinable(pthread_t thread)
{
	int t = runtime_task_by_handle((uint64_t)thread);

	if (t < 0 || (uint32_t)t == runtime_self() ||
	    task_of((uint32_t)t)->flags & SCHED_TASK_DETACHED)
		return -1;
	return t;
}

static int joined(uint32_t t, int r)
{
	if (!r)
		task_of(t)->flags |= SCHED_TASK_JOINED;
	return r;
}

/* Join with a limit; `r` of interpose__await() decides about the rest. */
static int join_by(pthread_t thread, void **value, clockid_t clock,
		   const struct timespec *abstime, uint32_t t, uint64_t pc)
{
	uint64_t deadline_ns = 0;
	void *found;
	int r;

	if (abstime) {
		if (!interpose__is_valid(abstime))
			return EINVAL;
		deadline_ns = interpose__deadline(clock, abstime);
	}
	r = interpose__await(t, deadline_ns, pc);
	if (!r)
		r = joined(t, real.pthread_join(thread,
						value ? value : &found));
	if (!r && *(value ? value : &found) == PTHREAD_CANCELED)
		notes_joined_cancelled();
	if (abstime)
		scheduler_note_result(runtime_scheduler(), runtime_self(),
				      (uint64_t)r);
	return r;
}

RUNTIME_EXPORT int pthread_join(pthread_t thread, void **value)
{
	int t;

	if (!runtime_is_on())
		return interpose__native()->pthread_join(thread, value);
	t = joinable(thread);
	if (t < 0)
		return real.pthread_join(thread, value);
	return join_by(thread, value, 0, NULL, (uint32_t)t, RUNTIME_CALLER);
}

RUNTIME_EXPORT int pthread_timedjoin_np(pthread_t thread, void **value,
					const struct timespec *abstime)
{
	int t;

	if (!runtime_is_on())
		return interpose__native()->pthread_timedjoin_np(thread, value,
								 abstime);
	t = joinable(thread);
	if (t < 0)
		return real.pthread_timedjoin_np(thread, value, abstime);
	return join_by(thread, value, CLOCK_REALTIME, abstime, (uint32_t)t,
		       RUNTIME_CALLER);
}

RUNTIME_EXPORT int pthread_clockjoin_np(pthread_t thread, void **value,
					clockid_t clock,
					const struct timespec *abstime)
{
	int t;

	if (!runtime_is_on() ||
	    (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
		return interpose__native()->pthread_clockjoin_np(
			thread, value, clock, abstime);
	t = joinable(thread);
	if (t < 0)
		return real.pthread_clockjoin_np(thread, value, clock, abstime);
	return join_by(thread, value, clock, abstime, (uint32_t)t,
		       RUNTIME_CALLER);
}

/* A join whose time is up at once; not a cancellation point. */
RUNTIME_EXPORT int pthread_tryjoin_np(pthread_t thread, void **value)
{
	struct runtime_op op = {
		.kind = EXPLORE_OP_THREAD_JOIN,
		.deadline_ns = 1,
		.pc = RUNTIME_CALLER,
	};
	int r, t;

	if (!runtime_is_on())
		return interpose__native()->pthread_tryjoin_np(thread, value);
	t = joinable(thread);
	if (t < 0)
		return real.pthread_tryjoin_np(thread, value);
	op.object = interpose__thread_object((uint32_t)t, op.pc);
	runtime_point(&op);
	if (task_of((uint32_t)t)->flags & SCHED_TASK_JOINED)
		return EINVAL;
	r = joined((uint32_t)t, real.pthread_tryjoin_np(thread, value));
	scheduler_note_result(runtime_scheduler(), runtime_self(), (uint64_t)r);
	return r;
}

/* ------------------------------------------------ detaching, cancelling */

RUNTIME_EXPORT int pthread_detach(pthread_t thread)
{
	uint64_t pc = RUNTIME_CALLER;
	int r, t;

	if (!runtime_is_on())
		return interpose__native()->pthread_detach(thread);
	t = runtime_task_by_handle((uint64_t)thread);
	if (t < 0)
		return real.pthread_detach(thread);
	interpose__point(EXPLORE_OP_THREAD_DETACH,
			 interpose__thread_object((uint32_t)t, pc), pc);
	r = real.pthread_detach(thread);
	if (!r)
		task_of((uint32_t)t)->flags |= SCHED_TASK_DETACHED;
	return r;
}

/* No operation: nobody but the task itself can tell that it was here. */
RUNTIME_EXPORT void pthread_testcancel(void)
{
	if (runtime_is_on())
		interpose__testcancel(RUNTIME_CALLER);
	else
		interpose__native()->pthread_testcancel();
}

/* Waits that an interposer announced, and where it looks at cancellation. */
static bool is_cancellable_here(const struct sched_task *t)
{
	switch (t->op.kind) {
	case EXPLORE_OP_COND_WAIT:
	case EXPLORE_OP_COND_TIMEDWAIT:
	case EXPLORE_OP_COND_WAKE:
	case EXPLORE_OP_SEM_WAIT:
	case EXPLORE_OP_SEM_TIMEDWAIT:
	case EXPLORE_OP_THREAD_JOIN:
	case EXPLORE_OP_SIGNAL_DELIVER:	/* before one of these, perhaps */
		return true;
	default:
		return false;
	}
}

/*
 * The real call marks the thread, and signals it when it is in a cancellable
 * system call. Waits that are the model's are woken here; those that turn out
 * to have cancellation disabled go on waiting.
 */
RUNTIME_EXPORT int pthread_cancel(pthread_t thread)
{
	uint64_t pc = RUNTIME_CALLER;
	struct sched_task *target;
	int r, t;

	if (!runtime_is_on())
		return interpose__native()->pthread_cancel(thread);
	t = runtime_task_by_handle((uint64_t)thread);
	if (t < 0)
		return real.pthread_cancel(thread);
	interpose__point(EXPLORE_OP_THREAD_CANCEL,
			 interpose__thread_object((uint32_t)t, pc), pc);
	r = real.pthread_cancel(thread);
	target = task_of((uint32_t)t);
	if (!r && (uint32_t)t != runtime_self() &&
	    target->state == SCHED_TASK_ALIVE && is_cancellable_here(target)) {
		target->flags |= SCHED_TASK_CANCELLED;
		runtime_interrupt((uint32_t)t);
	}
	return r;
}
