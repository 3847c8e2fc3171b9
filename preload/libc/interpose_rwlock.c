/* SPDX-License-Identifier: MIT */
/*
 * interpose_rwlock.c - reader-writer locks.
 *
 * As with mutexes, the model says when, and the real lock is only ever tried.
 * The model counts readers and knows the writer; which tasks read it knows
 * only of the first few, so a reader's unlock is taken on trust while there
 * are readers at all.
 *
 * What may be added here: forwarding, and telling the model what the real
 * call did. Whether readers or writers go first is the scheduler's matter.
 */
#include "preload/libc/interpose.h"
#include "preload/core/rounds.h"
#include "scheduler/objects.h"

#include <errno.h>

struct access {
	pthread_rwlock_t *rw;
	struct sched_object *object;
	uint32_t id;
	bool is_write;
	uint64_t pc;
	const struct timespec *abstime;	/* NULL: no limit */
	clockid_t clock;
};

static void open_object(struct access *a, pthread_rwlock_t *rw, uint64_t pc)
{
	a->rw = rw;
	a->pc = pc;
	a->id = runtime_object(SCHED_CLASS_RWLOCK, rw, pc);
	a->object = scheduler_object(runtime_scheduler(), a->id);
}

static bool point(const struct access *a, uint16_t kind, uint64_t deadline_ns)
{
	const struct runtime_op op = {
		.kind = kind,
		.object = a->id,
		.pc = a->pc,
		.deadline_ns = deadline_ns,
	};

	return runtime_point(&op);
}

static void forget_holders(struct sched_object *o)
{
	o->owner = 0;
	o->count = 0;
	o->nr_holders = 0;
}

/* --------------------------------------------------------------- taking */

static int try_really(const struct access *a)
{
	return a->is_write ? real.pthread_rwlock_trywrlock(a->rw)
			   : real.pthread_rwlock_tryrdlock(a->rw);
}

static int lock_really(const struct access *a)
{
	if (!a->abstime)
		return a->is_write ? real.pthread_rwlock_wrlock(a->rw)
				   : real.pthread_rwlock_rdlock(a->rw);
	if (a->clock == CLOCK_REALTIME)
		return a->is_write
			       ? real.pthread_rwlock_timedwrlock(a->rw,
								 a->abstime)
			       : real.pthread_rwlock_timedrdlock(a->rw,
								 a->abstime);
	return a->is_write ? real.pthread_rwlock_clockwrlock(a->rw, a->clock,
							     a->abstime)
			   : real.pthread_rwlock_clockrdlock(a->rw, a->clock,
							     a->abstime);
}

/* `r` is the answer of a real attempt. */
static int taken(const struct access *a, int r)
{
	struct scheduler *s = runtime_scheduler();

	if (r)
		return r;
	if (a->is_write)
		scheduler_acquire(s, a->id, s->current);
	else
		scheduler_acquire_shared(s, a->id, s->current);
	return 0;
}

/* As in interpose_mutex.c: held by code that the model did not see. */
static int take_foreign(const struct access *a)
{
	int r;

	a->object->flags |= SCHED_OBJECT_FOREIGN;
	r = lock_really(a);
	a->object->flags &= (uint8_t)~SCHED_OBJECT_FOREIGN;
	return taken(a, r);
}

/*
 * The model says that it is taken, so the task would wait. Should trying
 * succeed, the memory was used anew without an init call. Trying to read does
 * succeed beside readers, who may keep others out all the same.
 */
static void ask_reality(const struct access *a)
{
	const struct sched_object *o = a->object;

	if (!interpose__is_others(o) && !(a->is_write && o->count))
		return;
	if (try_really(a))
		return;
	real.pthread_rwlock_unlock(a->rw);
	forget_holders(a->object);
}

/*
 * The writer itself: glibc answers EDEADLK. Where the real call waits instead,
 * the futex trap knows by runtime_relock that it does so for ever.
 */
static int relock(const struct access *a)
{
	int r;

	if (!a->abstime)
		runtime_relock = (struct runtime_relock){
			.addr = (uint64_t)(uintptr_t)a->rw,
			.bytes = sizeof(*a->rw),
			.object = a->id,
			.pc = a->pc,
		};
	r = lock_really(a);
	runtime_relock = (struct runtime_relock){ .addr = 0 };
	return taken(a, r);
}

static int lock(struct access *a, uint16_t kind)
{
	uint64_t deadline_ns = 0;
	int r;

	if (a->abstime) {
		if (!interpose__is_valid(a->abstime))
			return EINVAL;
		deadline_ns = interpose__deadline(a->clock, a->abstime);
	}
	ask_reality(a);
	if (a->object->owner == runtime_self() + 1)
		return relock(a);
	if (point(a, kind, deadline_ns))
		return ETIMEDOUT;
	r = try_really(a);
	return r == EBUSY ? take_foreign(a) : taken(a, r);
}

static int timed(struct access *a, uint16_t kind)
{
	int r = lock(a, kind);

	scheduler_note_result(runtime_scheduler(), runtime_self(), (uint64_t)r);
	return r;
}

static int try(struct access *a, uint16_t kind)
{
	struct scheduler *s = runtime_scheduler();
	int r;

	interpose__try_point(kind, a->id, a->pc, ROUNDS_OF_TRY(a->pc, a->id));
	r = taken(a, try_really(a));
	rounds_tried(r == EBUSY, true);
	scheduler_note_result(s, s->current, (uint64_t)r);
	return r;
}

/* ------------------------------------------------- giving it up, the end */

/*
 * The model says that the task cannot hold it: nobody does, or another task as
 * the writer. Trying tells whether that is so.
 */
static int give_not_mine(struct access *a)
{
	uint32_t owner = a->object->owner;
	char text[160];

	a->is_write = true;
	if (try_really(a) == 0) {
		real.pthread_rwlock_unlock(a->rw);
		interpose__misuse(a->id, a->pc,
				  "unlock of a reader-writer lock that is not "
				  "locked");
	}
	a->is_write = false;
	if (owner && try_really(a) == 0) {
		/* No writer has it, so it was locked where we cannot see. */
		real.pthread_rwlock_unlock(a->rw);
		forget_holders(a->object);
		owner = 0;
	}
	if (owner) {
		runtime_format(text, sizeof(text),
			       "unlock of a reader-writer lock that task %u "
			       "holds as its writer", owner - 1);
		interpose__misuse(a->id, a->pc, text);
	}
	return real.pthread_rwlock_unlock(a->rw);
}

static int give(struct access *a)
{
	struct scheduler *s = runtime_scheduler();

	if (a->object->owner == s->current + 1)
		scheduler_release(s, a->id);
	else if (!a->object->owner && a->object->count)
		scheduler_release_shared(s, a->id, s->current);
	else
		return give_not_mine(a);
	return real.pthread_rwlock_unlock(a->rw);
}

/* Model and reality agree that it is taken. */
static bool is_really_held(struct access *a)
{
	if (!a->object->count && !interpose__is_owner_alive(a->object))
		return false;
	a->is_write = true;
	if (try_really(a))
		return true;
	real.pthread_rwlock_unlock(a->rw);
	return false;
}

static uint32_t flags_of(const pthread_rwlockattr_t *attr)
{
	int kind;

	if (attr && !pthread_rwlockattr_getkind_np(attr, &kind) &&
	    kind == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP)
		return SCHED_OBJECT_PREFERS_WRITER;
	return 0;
}

/* ------------------------------------------------- interposed functions */

RUNTIME_EXPORT int pthread_rwlock_init(pthread_rwlock_t *rw,
				       const pthread_rwlockattr_t *attr)
{
	int r = interpose__native()->pthread_rwlock_init(rw, attr);

	if (!r)
		interpose__initialised(SCHED_CLASS_RWLOCK, rw, flags_of(attr),
				       0, RUNTIME_CALLER);
	return r;
}

RUNTIME_EXPORT int pthread_rwlock_destroy(pthread_rwlock_t *rw)
{
	struct access a = { .is_write = true };
	int r;

	if (!runtime_is_on())
		return interpose__native()->pthread_rwlock_destroy(rw);
	open_object(&a, rw, RUNTIME_CALLER);
	point(&a, EXPLORE_OP_RWLOCK_DESTROY, 0);
	if (is_really_held(&a))
		interpose__misuse(a.id, a.pc, "destruction of a reader-writer "
					      "lock that is held");
	r = real.pthread_rwlock_destroy(rw);
	scheduler_object_reset(runtime_scheduler(), a.id);
	if (!r)
		misuse_destroyed(a.id);
	return r;
}

RUNTIME_EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t *rw)
{
	struct access a = { .is_write = false };

	if (!runtime_is_on())
		return interpose__native()->pthread_rwlock_rdlock(rw);
	open_object(&a, rw, RUNTIME_CALLER);
	return lock(&a, EXPLORE_OP_RWLOCK_RDLOCK);
}

RUNTIME_EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t *rw)
{
	struct access a = { .is_write = true };

	if (!runtime_is_on())
		return interpose__native()->pthread_rwlock_wrlock(rw);
	open_object(&a, rw, RUNTIME_CALLER);
	return lock(&a, EXPLORE_OP_RWLOCK_WRLOCK);
}

RUNTIME_EXPORT int pthread_rwlock_tryrdlock(pthread_rwlock_t *rw)
{
	struct access a = { .is_write = false };

	if (!runtime_is_on())
		return interpose__native()->pthread_rwlock_tryrdlock(rw);
	open_object(&a, rw, RUNTIME_CALLER);
	return try(&a, EXPLORE_OP_RWLOCK_TRYRDLOCK);
}

RUNTIME_EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t *rw)
{
	struct access a = { .is_write = true };

	if (!runtime_is_on())
		return interpose__native()->pthread_rwlock_trywrlock(rw);
	open_object(&a, rw, RUNTIME_CALLER);
	return try(&a, EXPLORE_OP_RWLOCK_TRYWRLOCK);
}

RUNTIME_EXPORT int pthread_rwlock_timedrdlock(pthread_rwlock_t *rw,
					      const struct timespec *abstime)
{
	struct access a = {
		.is_write = false,
		.abstime = abstime,
		.clock = CLOCK_REALTIME,
	};

	if (!runtime_is_on())
		return interpose__native()->pthread_rwlock_timedrdlock(rw,
								       abstime);
	open_object(&a, rw, RUNTIME_CALLER);
	return timed(&a, EXPLORE_OP_RWLOCK_TIMEDRDLOCK);
}

RUNTIME_EXPORT int pthread_rwlock_timedwrlock(pthread_rwlock_t *rw,
					      const struct timespec *abstime)
{
	struct access a = {
		.is_write = true,
		.abstime = abstime,
		.clock = CLOCK_REALTIME,
	};

	if (!runtime_is_on())
		return interpose__native()->pthread_rwlock_timedwrlock(rw,
								       abstime);
	open_object(&a, rw, RUNTIME_CALLER);
	return timed(&a, EXPLORE_OP_RWLOCK_TIMEDWRLOCK);
}

RUNTIME_EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t *rw,
					      clockid_t clock,
					      const struct timespec *abstime)
{
	struct access a = {
		.is_write = false,
		.abstime = abstime,
		.clock = clock,
	};

	if (!runtime_is_on() ||
	    (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
		return interpose__native()->pthread_rwlock_clockrdlock(
			rw, clock, abstime);
	open_object(&a, rw, RUNTIME_CALLER);
	return timed(&a, EXPLORE_OP_RWLOCK_TIMEDRDLOCK);
}

RUNTIME_EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t *rw,
					      clockid_t clock,
					      const struct timespec *abstime)
{
	struct access a = {
		.is_write = true,
		.abstime = abstime,
		.clock = clock,
	};

	if (!runtime_is_on() ||
	    (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
		return interpose__native()->pthread_rwlock_clockwrlock(
			rw, clock, abstime);
	open_object(&a, rw, RUNTIME_CALLER);
	return timed(&a, EXPLORE_OP_RWLOCK_TIMEDWRLOCK);
}

RUNTIME_EXPORT int pthread_rwlock_unlock(pthread_rwlock_t *rw)
{
	struct access a = { .is_write = false };

	if (!runtime_is_on())
		return interpose__native()->pthread_rwlock_unlock(rw);
	open_object(&a, rw, RUNTIME_CALLER);
	point(&a, EXPLORE_OP_RWLOCK_UNLOCK, 0);
	return give(&a);
}
