/* SPDX-License-Identifier: MIT */
/*
 * interpose_mutex.c - mutual locks: what is common to pthread mutexes, C11
 * mutexes and streams, and the interposed pthread_mutex_* functions.
 *
 * What may be added here: forwarding, and telling the model what the real
 * call did. When a lock can be taken, and by whom, is the scheduler's matter.
 */
#include "preload/libc/interpose.h"
#include "preload/core/rounds.h"
#include "scheduler/objects.h"

#include <errno.h>

/* An upper bound on how many robust mutexes were made; 0 saves a search. */
static uint32_t nr_robust;

/* ------------------------------------------------------------- findings */

static void misuse(const struct interpose_lock *l, const char *what,
		   const char *state)
{
	char text[160];

	runtime_format(text, sizeof(text), "%s a %s that is %s", what,
		       l->ops->noun, state);
	interpose__misuse(l->id, l->pc, text);
}

static void misuse_held(const struct interpose_lock *l, const char *what,
			uint32_t owner)
{
	char text[160];
	bool alive = interpose__is_owner_alive(l->object);

	runtime_format(text, sizeof(text), "%s a %s that is held by task %u%s",
		       what, l->ops->noun, owner,
		       alive ? "" : ", which has exited");
	interpose__misuse(l->id, l->pc, text);
}

/* The C library says EINVAL of what was destroyed and not used anew. */
static int checked(const struct interpose_lock *l, const char *what, int r)
{
	if (r == EINVAL && l->object->flags & SCHED_OBJECT_DESTROYED)
		misuse(l, what, "destroyed");
	return r;
}

/* ------------------------------------------------------ taking the lock */

static bool point(const struct interpose_lock *l, uint16_t kind,
		  uint64_t deadline_ns)
{
	const struct runtime_op op = {
		.kind = kind,
		.object = l->id,
		.pc = l->pc,
		.deadline_ns = deadline_ns,
	};

	return runtime_point(&op);
}

void interpose__own(const struct interpose_lock *l)
{
	scheduler_acquire(runtime_scheduler(), l->id, runtime_self());
	l->object->flags &= (uint8_t)~SCHED_OBJECT_DESTROYED;
}

/* `r` is the answer of a real attempt to lock. */
static int taken(const struct interpose_lock *l, int r)
{
	if (r == 0 || r == EOWNERDEAD)
		interpose__own(l);
	return checked(l, "lock of", r);
}

static int lock_really(const struct interpose_lock *l, clockid_t clock,
		       const struct timespec *abstime)
{
	return abstime ? l->ops->timedlock(l->addr, clock, abstime)
		       : l->ops->lock(l->addr);
}

/*
 * Held by code that the model did not see. The real call waits in a futex,
 * where the runtime takes over; tasks that come meanwhile do the same.
 */
static int take_foreign(const struct interpose_lock *l, clockid_t clock,
			const struct timespec *abstime)
{
	int r;

	l->object->flags |= SCHED_OBJECT_FOREIGN;
	r = lock_really(l, clock, abstime);
	l->object->flags &= (uint8_t)~SCHED_OBJECT_FOREIGN;
	return taken(l, r);
}

static int take(const struct interpose_lock *l, clockid_t clock,
		const struct timespec *abstime)
{
	int r;

	/*
	 * glibc's trylock leaves a robust mutex that is not recoverable locked
	 * for ever; its lock does not, and does not block on a free one.
	 */
	if (l->object->flags & SCHED_OBJECT_ROBUST)
		return take_foreign(l, clock, abstime);
	r = l->ops->trylock(l->addr);
	if (__builtin_expect(r == EBUSY, 0))
		return take_foreign(l, clock, abstime);
	return taken(l, r);
}

int interpose__take(const struct interpose_lock *l)
{
	return take(l, 0, NULL);
}

/*
 * The current task has it already. Recursive ones count up; errorcheck ones
 * answer EDEADLK; on a normal one the real call waits for itself for ever,
 * which the futex trap knows by runtime_relock. A timed one waits in vain.
 */
static int relock(const struct interpose_lock *l, clockid_t clock,
		  const struct timespec *abstime)
{
	int r = l->ops->trylock(l->addr);

	if (r != EBUSY)
		return taken(l, r);
	if (!abstime)
		runtime_relock = (struct runtime_relock){
			.addr = (uint64_t)(uintptr_t)l->addr,
			.bytes = l->ops->bytes,
			.object = l->id,
			.pc = l->pc,
		};
	r = lock_really(l, clock, abstime);
	runtime_relock = (struct runtime_relock){ .addr = 0 };
	return taken(l, r);
}

/*
 * The model says that another task has it. That is stale when the memory was
 * used for a new lock without an init call (static initialisers, C++'s
 * std::mutex): then it is free in reality. A lock whose owner has exited
 * without unlocking stays locked. Returns EOWNERDEAD when this has taken a
 * robust lock that the model thought held, else 0.
 */
static int ask_reality(const struct interpose_lock *l)
{
	int r = l->ops->trylock(l->addr);

	if (r == 0) {
		l->ops->unlock(l->addr);
		l->object->owner = 0;
		l->object->count = 0;
	} else if (r == EOWNERDEAD) {
		interpose__own(l);
	} else {
		r = 0;
	}
	return r;
}

int interpose__lock(const struct interpose_lock_ops *ops, void *addr,
		    uint64_t pc)
{
	struct interpose_lock l;

	interpose__lock_open(&l, ops, addr, pc);
	if (__builtin_expect(l.object->owner != 0, 0)) {
		if (!interpose__is_others(l.object)) {
			point(&l, EXPLORE_OP_MUTEX_LOCK, 0);
			return relock(&l, 0, NULL);
		}
		if (ask_reality(&l)) {
			point(&l, EXPLORE_OP_MUTEX_LOCK, 0);
			return EOWNERDEAD;
		}
	}
	point(&l, EXPLORE_OP_MUTEX_LOCK, 0);
	return take(&l, 0, NULL);
}

int interpose__trylock(const struct interpose_lock_ops *ops, void *addr,
		       uint64_t pc)
{
	struct scheduler *s = runtime_scheduler();
	struct interpose_lock l;
	int r;

	interpose__lock_open(&l, ops, addr, pc);
	interpose__try_point(EXPLORE_OP_MUTEX_TRYLOCK, l.id, pc,
			     ROUNDS_OF_TRY(pc, l.id));
	r = taken(&l, ops->trylock(addr));
	rounds_tried(r == EBUSY, true);
	scheduler_note_result(s, s->current, (uint64_t)r);
	return r;
}

/*
 * A time that is none matters only to a call that has to wait for it: POSIX
 * has the lock taken without a look at it when it is free.
 */
static int timedlock_invalid(const struct interpose_lock *l)
{
	int r;

	point(l, EXPLORE_OP_MUTEX_TIMEDLOCK, 1);
	r = taken(l, l->ops->trylock(l->addr));
	return r == EBUSY ? EINVAL : r;
}

static int timedlock(const struct interpose_lock *l, clockid_t clock,
		     const struct timespec *abstime)
{
	if (!interpose__is_valid(abstime))
		return timedlock_invalid(l);
	if (l->object->owner == runtime_self() + 1) {
		point(l, EXPLORE_OP_MUTEX_TIMEDLOCK, 0);
		return relock(l, clock, abstime);
	}
	if (l->object->owner && ask_reality(l)) {
		point(l, EXPLORE_OP_MUTEX_TIMEDLOCK, 0);
		return EOWNERDEAD;
	}
	if (point(l, EXPLORE_OP_MUTEX_TIMEDLOCK,
		  interpose__deadline(clock, abstime)))
		return ETIMEDOUT;
	return take(l, clock, abstime);
}

int interpose__timedlock(const struct interpose_lock_ops *ops, void *addr,
			 clockid_t clock, const struct timespec *abstime,
			 uint64_t pc)
{
	struct scheduler *s = runtime_scheduler();
	struct interpose_lock l;
	int r;

	interpose__lock_open(&l, ops, addr, pc);
	r = timedlock(&l, clock, abstime);
	scheduler_note_result(s, s->current, (uint64_t)r);
	return r;
}

/* ---------------------------------------------------- giving it up again */

/*
 * The model says that the task does not hold it. Either that is misuse, which
 * some types of lock answer with EPERM, or the model missed something.
 */
static int give_not_mine(const struct interpose_lock *l, const char *what)
{
	struct sched_object *o = l->object;
	uint32_t owner = o->owner;
	int r;

	/* Trying could take it from a dead owner, and that is for ever. */
	if (o->flags & SCHED_OBJECT_ROBUST)
		return checked(l, what, l->ops->unlock(l->addr));
	r = l->ops->trylock(l->addr);
	if (r == 0) {
		o->owner = 0;
		o->count = 0;
		l->ops->unlock(l->addr);
		r = l->ops->unlock(l->addr);
		if (!r)
			misuse(l, what, "not locked");
		return r;
	}
	r = checked(l, what, l->ops->unlock(l->addr));
	if (!r && owner)
		misuse_held(l, what, owner - 1);
	return r;	/* 0: locked where we could not see it */
}

int interpose__give(const struct interpose_lock *l, const char *what)
{
	struct scheduler *s = runtime_scheduler();
	int r;

	if (__builtin_expect(l->object->owner != s->current + 1, 0))
		return give_not_mine(l, what);
	scheduler_release(s, l->id);
	r = l->ops->unlock(l->addr);
	if (__builtin_expect(r != 0, 0)) {
		scheduler_acquire(s, l->id, s->current);
		checked(l, what, r);
	}
	return r;
}

int interpose__unlock(const struct interpose_lock_ops *ops, void *addr,
		      uint64_t pc)
{
	struct interpose_lock l;

	interpose__lock_open(&l, ops, addr, pc);
	point(&l, EXPLORE_OP_MUTEX_UNLOCK, 0);
	return interpose__give(&l, "unlock of");
}

/* ---------------------------------------------------- beginning and end */

/* Model and reality agree that somebody who lives holds it. */
static bool is_really_held(const struct interpose_lock *l)
{
	int r;

	if (!interpose__is_owner_alive(l->object))
		return false;
	if (l->object->flags & SCHED_OBJECT_ROBUST)
		return true;
	r = l->ops->trylock(l->addr);
	if (r == 0)
		l->ops->unlock(l->addr);
	return r == EBUSY;
}

/* Destroyed before, and not used anew in between: trying says EINVAL. */
static void check_destroyed(const struct interpose_lock *l)
{
	int r;

	if (!(l->object->flags & SCHED_OBJECT_DESTROYED))
		return;
	r = checked(l, "destruction of", l->ops->trylock(l->addr));
	if (r == 0)
		l->ops->unlock(l->addr);
}

/*
 * A recursive lock that the caller holds lets itself be tried; then it is the
 * real destroy that says EBUSY.
 */
int interpose__destroy(const struct interpose_lock_ops *ops, void *addr,
		       uint64_t pc)
{
	struct interpose_lock l;
	bool mine;
	int r;

	interpose__lock_open(&l, ops, addr, pc);
	point(&l, EXPLORE_OP_MUTEX_DESTROY, 0);
	check_destroyed(&l);
	if (is_really_held(&l))
		misuse_held(&l, "destruction of", l.object->owner - 1);
	mine = l.object->owner == runtime_self() + 1;
	r = ops->destroy(addr);
	if (r == EBUSY && mine)
		misuse_held(&l, "destruction of", runtime_self());
	if (r == 0) {
		scheduler_object_reset(runtime_scheduler(), l.id);
		l.object->flags = SCHED_OBJECT_DESTROYED;
	}
	return r;
}

void interpose_task_exited(uint32_t task)
{
	struct scheduler *s = runtime_scheduler();

	if (!nr_robust)
		return;
	for (uint32_t id = 1; id <= s->nr_objects; id++) {
		struct sched_object *o = scheduler_object(s, id);

		if (o->class == SCHED_CLASS_MUTEX && o->owner == task + 1 &&
		    o->flags & SCHED_OBJECT_ROBUST) {
			o->owner = 0;
			o->count = 0;
		}
	}
}

/*
 * Being shared between processes is not noted: the model only ever says that
 * tasks of this one hold it, and another's hold is found by trying.
 */
static uint32_t flags_of(const pthread_mutexattr_t *attr)
{
	int robust;

	if (!attr || pthread_mutexattr_getrobust(attr, &robust) ||
	    robust != PTHREAD_MUTEX_ROBUST)
		return 0;
	nr_robust++;
	return SCHED_OBJECT_ROBUST;
}

/* ------------------------------------------------------ pthread mutexes */

static int mutex_trylock(void *m)
{
	return real.pthread_mutex_trylock(m);
}

static int mutex_lock(void *m)
{
	return real.pthread_mutex_lock(m);
}

static int mutex_timedlock(void *m, clockid_t clock, const struct timespec *t)
{
	return clock == CLOCK_REALTIME
		       ? real.pthread_mutex_timedlock(m, t)
		       : real.pthread_mutex_clocklock(m, clock, t);
}

static int mutex_unlock(void *m)
{
	return real.pthread_mutex_unlock(m);
}

static int mutex_destroy(void *m)
{
	return real.pthread_mutex_destroy(m);
}

const struct interpose_lock_ops interpose__mutex_ops = {
	.noun = "mutex",
	.bytes = sizeof(pthread_mutex_t),
	.trylock = mutex_trylock,
	.lock = mutex_lock,
	.timedlock = mutex_timedlock,
	.unlock = mutex_unlock,
	.destroy = mutex_destroy,
};

RUNTIME_EXPORT int pthread_mutex_lock(pthread_mutex_t *m)
{
	if (!runtime_is_on())
		return interpose__native()->pthread_mutex_lock(m);
	return interpose__lock(&interpose__mutex_ops, m, RUNTIME_CALLER);
}

RUNTIME_EXPORT int pthread_mutex_trylock(pthread_mutex_t *m)
{
	if (!runtime_is_on())
		return interpose__native()->pthread_mutex_trylock(m);
	return interpose__trylock(&interpose__mutex_ops, m, RUNTIME_CALLER);
}

RUNTIME_EXPORT int pthread_mutex_timedlock(pthread_mutex_t *m,
					   const struct timespec *abstime)
{
	if (!runtime_is_on())
		return interpose__native()->pthread_mutex_timedlock(m, abstime);
	return interpose__timedlock(&interpose__mutex_ops, m, CLOCK_REALTIME,
				    abstime, RUNTIME_CALLER);
}

RUNTIME_EXPORT int pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock,
					   const struct timespec *abstime)
{
	/* Any other clock is an error, which the real one knows best. */
	if (!runtime_is_on() ||
	    (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
		return interpose__native()->pthread_mutex_clocklock(m, clock,
								    abstime);
	return interpose__timedlock(&interpose__mutex_ops, m, clock, abstime,
				    RUNTIME_CALLER);
}

RUNTIME_EXPORT int pthread_mutex_unlock(pthread_mutex_t *m)
{
	if (!runtime_is_on())
		return interpose__native()->pthread_mutex_unlock(m);
	return interpose__unlock(&interpose__mutex_ops, m, RUNTIME_CALLER);
}

RUNTIME_EXPORT int pthread_mutex_init(pthread_mutex_t *m,
				      const pthread_mutexattr_t *attr)
{
	int r = interpose__native()->pthread_mutex_init(m, attr);

	if (!r)
		interpose__initialised(SCHED_CLASS_MUTEX, m, flags_of(attr), 0,
				       RUNTIME_CALLER);
	return r;
}

RUNTIME_EXPORT int pthread_mutex_destroy(pthread_mutex_t *m)
{
	if (!runtime_is_on())
		return interpose__native()->pthread_mutex_destroy(m);
	return interpose__destroy(&interpose__mutex_ops, m, RUNTIME_CALLER);
}
