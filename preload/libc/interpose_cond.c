/* SPDX-License-Identifier: MIT */
/*
 * interpose_cond.c - condition variables.
 *
 * Waiters stand in the model's queue, never in the real object: who is woken
 * and when is the scheduler's choice, also the spurious and the timed ways
 * out. The real object is initialised, signalled and destroyed along, for
 * waiters that we do not see. One that is shared between processes may be
 * signalled from outside, so waits on it are left to the C library.
 *
 * What may be added here: forwarding, and telling the model what the real
 * call did. Whom a signal wakes is the scheduler's matter.
 */
#include "preload/libc/interpose.h"
#include "scheduler/objects.h"

#include <errno.h>

/* ---------------------------------------------------------------- waits */

static bool point(uint16_t kind, uint32_t cond, const struct interpose_lock *l,
		  uint64_t deadline_ns)
{
	const struct runtime_op op = {
		.kind = kind,
		.object = cond,
		.object2 = l->id,
		.pc = l->pc,
		.deadline_ns = deadline_ns,
	};

	return runtime_point(&op);
}

/*
 * Give up the mutex and join the queue as one step. The queue comes first,
 * because unlocking may trap, and a signal sent then must reach this task.
 */
static int begin_wait(uint32_t id, const struct interpose_lock *l)
{
	struct scheduler *s = runtime_scheduler();
	uint32_t self = s->current;
	int r;

	scheduler_wait(s, id, self, ~0u);
	r = interpose__give(l, "wait on a condition variable with");
	if (r)
		scheduler_unwait(s, self, SCHED_WAKE_INTERRUPTED);
	return r;
}

/*
 * However it ends, the mutex is the caller's again: cleanup handlers of a
 * cancellation expect it too. An interruption that is no cancellation looks
 * like a spurious wake-up.
 */
int interpose__cond_wait(void *cond, const struct interpose_lock *l,
			 uint64_t deadline_ns)
{
	uint32_t id = runtime_object(SCHED_CLASS_COND, cond, l->pc);
	bool timed_out;
	int r;

	interpose__uninterrupted(l->pc);
	point(deadline_ns ? EXPLORE_OP_COND_TIMEDWAIT : EXPLORE_OP_COND_WAIT,
	      id, l, 0);
	interpose__was_interrupted();
	r = begin_wait(id, l);
	if (r)
		return r;
	timed_out = point(EXPLORE_OP_COND_WAKE, id, l, deadline_ns);
	r = interpose__take(l);
	interpose__was_interrupted();
	if (timed_out && !r)
		r = ETIMEDOUT;
	scheduler_note_result(runtime_scheduler(), runtime_self(), (uint64_t)r);
	return r;
}

/*
 * The real wait gives the mutex up and takes it back by itself. Should it end
 * by cancellation the model does not learn that the mutex is held, which the
 * unlock to come finds out.
 */
static int wait_shared(pthread_cond_t *c, const struct interpose_lock *l,
		       clockid_t clock, const struct timespec *abstime,
		       uint32_t id)
{
	struct scheduler *s = runtime_scheduler();
	bool mine;
	int r;

	point(abstime ? EXPLORE_OP_COND_TIMEDWAIT : EXPLORE_OP_COND_WAIT, id,
	      l, 0);
	mine = l->object->owner == s->current + 1;
	if (mine)
		scheduler_release(s, l->id);
	if (!abstime)
		r = real.pthread_cond_wait(c, l->addr);
	else if (clock < 0)
		r = real.pthread_cond_timedwait(c, l->addr, abstime);
	else
		r = real.pthread_cond_clockwait(c, l->addr, clock, abstime);
	if (mine)
		interpose__own(l);
	return r;
}

/* The object, if something was noted about it. */
static const struct sched_object *noted(const void *cond)
{
	struct scheduler *s = runtime_scheduler();
	uint32_t id = scheduler_object_find(s, SCHED_CLASS_COND,
					    (uint64_t)(uintptr_t)cond);

	return id ? scheduler_object(s, id) : NULL;
}

/* `clock` is negative for the one that the object was initialised with. */
static int wait_on(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock,
		   const struct timespec *abstime, uint64_t pc)
{
	const struct sched_object *o = noted(c);
	uint64_t deadline_ns = 0;
	struct interpose_lock l;

	interpose__lock_open(&l, &interpose__mutex_ops, m, pc);
	if (o && o->flags & SCHED_OBJECT_SHARED)
		return wait_shared(c, &l, clock, abstime,
				   runtime_object(SCHED_CLASS_COND, c, pc));
	if (abstime) {
		if (!interpose__is_valid(abstime))
			return EINVAL;
		if (clock < 0)
			clock = o && o->flags & SCHED_OBJECT_MONOTONIC
					? CLOCK_MONOTONIC
					: CLOCK_REALTIME;
		deadline_ns = interpose__deadline(clock, abstime);
	}
	return interpose__cond_wait(c, &l, deadline_ns);
}

/* -------------------------------------------------------------- signals */

void interpose__cond_wake(void *cond, bool all, uint64_t pc)
{
	uint32_t id = runtime_object(SCHED_CLASS_COND, cond, pc);

	interpose__point(all ? EXPLORE_OP_COND_BROADCAST
			     : EXPLORE_OP_COND_SIGNAL, id, pc);
	runtime_wake(id, all ? UINT32_MAX : 1, ~0u);
}

uint32_t interpose__cond_end(void *cond, uint64_t pc)
{
	struct scheduler *s = runtime_scheduler();
	uint32_t id = runtime_object(SCHED_CLASS_COND, cond, pc);

	interpose__point(EXPLORE_OP_COND_DESTROY, id, pc);
	if (scheduler_object(s, id)->nr_waiters)
		interpose__misuse(id, pc, "destruction of a condition variable "
					  "that tasks wait on");
	return id;
}

void interpose__cond_ended(uint32_t id)
{
	struct sched_object *o = scheduler_object(runtime_scheduler(), id);
	bool is_shared = o->flags & SCHED_OBJECT_SHARED;

	scheduler_object_reset(runtime_scheduler(), id);
	if (!is_shared)
		misuse_destroyed(id);
}

static uint32_t flags_of(const pthread_condattr_t *attr)
{
	uint32_t flags = 0;
	clockid_t clock;
	int value;

	if (!attr)
		return 0;
	if (!pthread_condattr_getclock(attr, &clock) &&
	    clock == CLOCK_MONOTONIC)
		flags |= SCHED_OBJECT_MONOTONIC;
	if (!pthread_condattr_getpshared(attr, &value) &&
	    value == PTHREAD_PROCESS_SHARED)
		flags |= SCHED_OBJECT_SHARED;
	return flags;
}

/* ------------------------------------------------- interposed functions */

RUNTIME_EXPORT int pthread_cond_init(pthread_cond_t *c,
				     const pthread_condattr_t *attr)
{
	int r = interpose__native()->pthread_cond_init(c, attr);

	if (!r)
		interpose__initialised(SCHED_CLASS_COND, c, flags_of(attr), 0,
				       RUNTIME_CALLER);
	return r;
}

RUNTIME_EXPORT int pthread_cond_destroy(pthread_cond_t *c)
{
	uint32_t id = 0;
	int r;

	if (runtime_is_on())
		id = interpose__cond_end(c, RUNTIME_CALLER);
	r = interpose__native()->pthread_cond_destroy(c);
	if (id && !r)
		interpose__cond_ended(id);
	return r;
}

RUNTIME_EXPORT int pthread_cond_signal(pthread_cond_t *c)
{
	if (runtime_is_on())
		interpose__cond_wake(c, false, RUNTIME_CALLER);
	return interpose__native()->pthread_cond_signal(c);
}

RUNTIME_EXPORT int pthread_cond_broadcast(pthread_cond_t *c)
{
	if (runtime_is_on())
		interpose__cond_wake(c, true, RUNTIME_CALLER);
	return interpose__native()->pthread_cond_broadcast(c);
}

RUNTIME_EXPORT int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	if (!runtime_is_on())
		return interpose__native()->pthread_cond_wait(c, m);
	return wait_on(c, m, -1, NULL, RUNTIME_CALLER);
}

RUNTIME_EXPORT int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
					  const struct timespec *abstime)
{
	if (!runtime_is_on())
		return interpose__native()->pthread_cond_timedwait(c, m,
								   abstime);
	return wait_on(c, m, -1, abstime, RUNTIME_CALLER);
}

RUNTIME_EXPORT int pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m,
					  clockid_t clock,
					  const struct timespec *abstime)
{
	if (!runtime_is_on() ||
	    (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
		return interpose__native()->pthread_cond_clockwait(c, m, clock,
								   abstime);
	return wait_on(c, m, clock, abstime, RUNTIME_CALLER);
}
