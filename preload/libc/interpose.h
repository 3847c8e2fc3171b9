/* SPDX-License-Identifier: MIT */
/*
 * interpose.h - for the interpose_*.c files of preload/ only.
 *
 * The interposed functions are where the target's use of threads meets the
 * model. Each one has the same shape: when the runtime is off, call the real
 * function; else announce the operation with runtime_point(), which returns
 * when the model says that it cannot block, then carry it out on the real
 * object too, and tell the model what changed.
 *
 * - The model decides when an operation happens, the C library what it does.
 *   Real locks are only ever tried, so nobody blocks in the C library; but the
 *   memory of the target's objects is what it would be natively. Robust lists,
 *   native fork children and un-interposed callers rest on that.
 * - Nothing here knows what lies inside a libc object. Where the model may be
 *   wrong (memory used anew without an init call, a lock taken by code we do
 *   not see), reality is asked by trying, and wins.
 * - A misuse is reported only when both model and reality say so.
 * - The model is told before a real call that may trap (wake other tasks):
 *   the trap is a scheduling point, and others must see the new state there.
 *
 * Context: the calling task's own stack and fs base, outside any trap (but
 * possibly in a signal handler of the target, or under any lock of the C
 * library). Rules of runtime.h hold.
 */
#ifndef PRELOAD_INTERPOSE_H
#define PRELOAD_INTERPOSE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdint.h>
#include <threads.h>
#include <time.h>

#include "preload/core/notes.h"
#include "preload/core/runtime.h"

/* ------------------------------------------------- the real functions */

/*
 * Every function of the C library that an interposer stands for or calls
 * through the table. Mutexes come first: the lookup itself may call a malloc
 * that locks one.
 */
#define INTERPOSE_REAL(X)                                                      \
	X(pthread_mutex_lock)                                                  \
	X(pthread_mutex_trylock)                                               \
	X(pthread_mutex_unlock)                                                \
	X(pthread_mutex_init)                                                  \
	X(pthread_mutex_destroy)                                               \
	X(pthread_mutex_timedlock)                                             \
	X(pthread_mutex_clocklock)                                             \
	X(pthread_once)                                                        \
	X(pthread_rwlock_init)                                                 \
	X(pthread_rwlock_destroy)                                              \
	X(pthread_rwlock_rdlock)                                               \
	X(pthread_rwlock_tryrdlock)                                            \
	X(pthread_rwlock_timedrdlock)                                          \
	X(pthread_rwlock_clockrdlock)                                          \
	X(pthread_rwlock_wrlock)                                               \
	X(pthread_rwlock_trywrlock)                                            \
	X(pthread_rwlock_timedwrlock)                                          \
	X(pthread_rwlock_clockwrlock)                                          \
	X(pthread_rwlock_unlock)                                               \
	X(pthread_spin_init)                                                   \
	X(pthread_spin_destroy)                                                \
	X(pthread_spin_lock)                                                   \
	X(pthread_spin_trylock)                                                \
	X(pthread_spin_unlock)                                                 \
	X(pthread_cond_init)                                                   \
	X(pthread_cond_destroy)                                                \
	X(pthread_cond_wait)                                                   \
	X(pthread_cond_timedwait)                                              \
	X(pthread_cond_clockwait)                                              \
	X(pthread_cond_signal)                                                 \
	X(pthread_cond_broadcast)                                              \
	X(pthread_barrier_init)                                                \
	X(pthread_barrier_destroy)                                             \
	X(pthread_barrier_wait)                                                \
	X(pthread_create)                                                      \
	X(pthread_join)                                                        \
	X(pthread_tryjoin_np)                                                  \
	X(pthread_timedjoin_np)                                                \
	X(pthread_clockjoin_np)                                                \
	X(pthread_detach)                                                      \
	X(pthread_cancel)                                                      \
	X(pthread_testcancel)                                                  \
	X(sem_init)                                                            \
	X(sem_destroy)                                                         \
	X(sem_open)                                                            \
	X(sem_wait)                                                            \
	X(sem_trywait)                                                         \
	X(sem_timedwait)                                                       \
	X(sem_clockwait)                                                       \
	X(sem_post)                                                            \
	X(sem_getvalue)                                                        \
	X(thrd_create)                                                         \
	X(thrd_join)                                                           \
	X(thrd_detach)                                                         \
	X(mtx_init)                                                            \
	X(mtx_destroy)                                                         \
	X(mtx_lock)                                                            \
	X(mtx_trylock)                                                         \
	X(mtx_timedlock)                                                       \
	X(mtx_unlock)                                                          \
	X(cnd_init)                                                            \
	X(cnd_destroy)                                                         \
	X(cnd_wait)                                                            \
	X(cnd_timedwait)                                                       \
	X(cnd_signal)                                                          \
	X(cnd_broadcast)                                                       \
	X(__cxa_guard_acquire)                                                 \
	X(__cxa_guard_release)                                                 \
	X(call_once)                                                           \
	X(pthread_getaffinity_np)                                              \
	X(sched_getaffinity)                                                   \
	X(flockfile)                                                           \
	X(ftrylockfile)                                                        \
	X(funlockfile)                                                         \
	X(__assert_fail)                                                       \
	X(__assert_perror_fail)

/* Of the C++ runtime; NULL in programs without one. */
int __cxa_guard_acquire(uint64_t *guard);
void __cxa_guard_release(uint64_t *guard);

/* As <assert.h> has them; not declared there under NDEBUG. */
_Noreturn void __assert_fail(const char *expr, const char *file,
			     unsigned int line, const char *function);
_Noreturn void __assert_perror_fail(int error, const char *file,
				    unsigned int line, const char *function);

enum interpose_ready {
	INTERPOSE_UNKNOWN = 0,
	INTERPOSE_BUSY = 1,	/* the lookup runs, and may call back */
	INTERPOSE_READY = 2,
};

struct interpose_real {
	uint32_t ready;		/* enum interpose_ready */
#define INTERPOSE_FIELD(name) __typeof__(name) *name;
	INTERPOSE_REAL(INTERPOSE_FIELD)
#undef INTERPOSE_FIELD
};

/* NULL where the C library has no such function. Filled before any trap. */
extern RUNTIME_HIDDEN struct interpose_real real;

/*
 * The table for the way past a runtime that is off. Constructors of libraries
 * that the dynamic linker starts before ours may get here first.
 */
static inline const struct interpose_real *interpose__native(void)
{
	if (__builtin_expect(real.ready == INTERPOSE_UNKNOWN, 0))
		interpose_init();
	return &real;
}

/* ------------------------------------------------------- small helpers */

/* Announce an operation on one object, without deadline. */
static inline void interpose__point(uint16_t kind, uint32_t object, uint64_t pc)
{
	const struct runtime_op op = {
		.kind = kind,
		.object = object,
		.pc = pc,
	};

	runtime_point(&op);
}

/* One that does not wait. `flags`: ROUNDS_OF_TRY(pc, object), see rounds.h. */
static inline void interpose__try_point(uint16_t kind, uint32_t object,
					uint64_t pc, uint16_t flags)
{
	const struct runtime_op op = {
		.kind = kind,
		.flags = flags,
		.object = object,
		.pc = pc,
	};

	runtime_point(&op);
}

static inline bool interpose__is_valid(const struct timespec *t)
{
	return t->tv_nsec >= 0 && t->tv_nsec < 1000000000;
}

/* A deadline for runtime_op; `t` is valid. Before the epoch is long ago. */
static inline uint64_t interpose__deadline(clockid_t clock,
					   const struct timespec *t)
{
	return t->tv_sec < 0 ? 1
			     : runtime_deadline_ns(clock, t->tv_sec,
						   t->tv_nsec);
}

/* Whether the exclusive holder is a task other than the current one. */
static inline bool interpose__is_others(const struct sched_object *o)
{
	return o->owner && o->owner != runtime_self() + 1;
}

/* Whether the exclusive holder is a task that lives. */
static inline bool interpose__is_owner_alive(const struct sched_object *o)
{
	return o->owner && runtime_scheduler()->task[o->owner - 1].state ==
				   SCHED_TASK_ALIVE;
}

/*
 * The real object was initialised: forget what the model knew at that address,
 * and note flags and, for a barrier, its count. Makes no object when there is
 * nothing to note. Also to be called while the runtime is off: constructors
 * run before the model is there.
 */
RUNTIME_HIDDEN void interpose__initialised(enum sched_class class,
					   const volatile void *addr,
					   uint32_t flags, uint32_t limit,
					   uint64_t pc);

/* End the run: misuse of the object. `message` is copied. */
RUNTIME_HIDDEN _Noreturn void interpose__misuse(uint32_t object, uint64_t pc,
						const char *message);

/*
 * misuse.c: the object was destroyed, in reality too. As long as its memory is
 * not written to again, misuse_is_destroyed() holds.
 */
RUNTIME_HIDDEN void misuse_destroyed(uint32_t object);
RUNTIME_HIDDEN bool misuse_is_destroyed(struct sched_object *o);

/* Whether a live task is stopped at an operation of that kind on the object. */
RUNTIME_HIDDEN bool interpose__has_waiter(uint32_t object, uint16_t kind,
					  uint16_t kind2);

/*
 * Interruptible waits. interpose__uninterrupted() comes before the announcing:
 * what interrupted an earlier operation is no news for this one, and a pending
 * cancellation is acted upon. interpose__was_interrupted() comes after, and
 * says whether the wait must return early; it does not return when the task
 * is cancelled. Unwinding goes through the interposer's frame.
 */
enum interpose_interruption {
	INTERPOSE_UNDISTURBED = 0,
	INTERPOSE_BY_SIGNAL = 1,
	/* A signal whose handler has SA_RESTART. */
	INTERPOSE_BY_RESTARTING = 2,
	/* A cancellation that is disabled: go on waiting if possible. */
	INTERPOSE_BY_CANCEL = 3,
};

#define INTERPOSE_INTERRUPTION                                                 \
	(SCHED_TASK_INTERRUPTED | SCHED_TASK_CANCELLED | SCHED_TASK_RESTARTS)

/* The task acts on a cancellation here, if it has to. */
static inline void interpose__testcancel(uint64_t pc)
{
	notes_cancelled(pc);
	real.pthread_testcancel();
	notes_not_cancelled();
}

static inline void interpose__uninterrupted(uint64_t pc)
{
	interpose__testcancel(pc);
	runtime_self_task()->flags &= (uint16_t)~INTERPOSE_INTERRUPTION;
}

RUNTIME_HIDDEN enum interpose_interruption interpose__was_interrupted(void);

/* --------------------------------------------------------- mutual locks */

/* Pthread mutexes, C11 mutexes and streams are one thing to the model. */
struct interpose_lock_ops {
	const char *noun;	/* for messages: "mutex" */
	uint32_t bytes;		/* of the real object; 0: not known */
	/* All return 0 or an errno value. */
	int (*trylock)(void *lock);
	int (*lock)(void *lock);
	/* NULL: there is no timed form. */
	int (*timedlock)(void *lock, clockid_t clock,
			 const struct timespec *abstime);
	int (*unlock)(void *lock);
	/* NULL: streams come and go with fopen() and fclose(). */
	int (*destroy)(void *lock);
};

extern RUNTIME_HIDDEN const struct interpose_lock_ops interpose__mutex_ops;
extern RUNTIME_HIDDEN const struct interpose_lock_ops interpose__mtx_ops;
extern RUNTIME_HIDDEN const struct interpose_lock_ops interpose__file_ops;

/* A lock in the course of one call. */
struct interpose_lock {
	const struct interpose_lock_ops *ops;
	void *addr;
	struct sched_object *object;
	uint32_t id;
	uint64_t pc;
};

static inline void interpose__lock_open(struct interpose_lock *l,
					const struct interpose_lock_ops *ops,
					void *addr, uint64_t pc)
{
	l->ops = ops;
	l->addr = addr;
	l->pc = pc;
	l->id = runtime_object(SCHED_CLASS_MUTEX, addr, pc);
	l->object = scheduler_object(runtime_scheduler(), l->id);
}

/* The whole operation, as pthread_mutex_lock() and its kin return. */
RUNTIME_HIDDEN int interpose__lock(const struct interpose_lock_ops *ops,
				   void *addr, uint64_t pc);
RUNTIME_HIDDEN int interpose__trylock(const struct interpose_lock_ops *ops,
				      void *addr, uint64_t pc);
RUNTIME_HIDDEN int interpose__timedlock(const struct interpose_lock_ops *ops,
					void *addr, clockid_t clock,
					const struct timespec *abstime,
					uint64_t pc);
RUNTIME_HIDDEN int interpose__unlock(const struct interpose_lock_ops *ops,
				     void *addr, uint64_t pc);
RUNTIME_HIDDEN int interpose__destroy(const struct interpose_lock_ops *ops,
				      void *addr, uint64_t pc);

/*
 * The second half alone, without announcing: take a lock that the model says
 * is free; give one up, where `what` names the caller ("unlock of").
 */
RUNTIME_HIDDEN int interpose__take(const struct interpose_lock *l);
RUNTIME_HIDDEN int interpose__give(const struct interpose_lock *l,
				   const char *what);

/* The current task holds it now, whatever the model thought. */
RUNTIME_HIDDEN void interpose__own(const struct interpose_lock *l);

/* -------------------------------------------------- condition variables */

/*
 * Wait on `cond` giving up `l`; a deadline of 0 is none. Returns as
 * pthread_cond_timedwait() does.
 */
RUNTIME_HIDDEN int interpose__cond_wait(void *cond,
					const struct interpose_lock *l,
					uint64_t deadline_ns);

/* Announce and wake; the caller then tells the real object as well. */
RUNTIME_HIDDEN void interpose__cond_wake(void *cond, bool all, uint64_t pc);

/*
 * Announce the end of it; the caller then destroys the real object, and says so
 * with the id that this returned.
 */
RUNTIME_HIDDEN uint32_t interpose__cond_end(void *cond, uint64_t pc);
RUNTIME_HIDDEN void interpose__cond_ended(uint32_t id);

/* -------------------------------------------------------------- threads */

/*
 * Wait until task `t` has ended. Returns 0; ETIMEDOUT; or EINVAL when another
 * task joined it meanwhile.
 */
RUNTIME_HIDDEN int interpose__await(uint32_t t, uint64_t deadline_ns,
				    uint64_t pc);

/* The id of a task's thread object. */
RUNTIME_HIDDEN uint32_t interpose__thread_object(uint32_t t, uint64_t pc);

/* ------------------------------------------- towards the rest of preload/ */

/*
 * Called when a run starts, with the model empty: objects that were
 * initialised by constructors enter it.
 */
RUNTIME_HIDDEN void interpose_start_run(void);

/*
 * Called by the runtime when a task ends, after it has walked the robust list
 * and before anybody else is picked: robust mutexes it held can be taken.
 */
RUNTIME_HIDDEN void interpose_task_exited(uint32_t task);

/*
 * From the runtime: remember the text of a failed assertion; the abort that
 * follows is then an assertion failure. `text` is copied.
 */
RUNTIME_HIDDEN void runtime_note_assert(const char *text, uint64_t pc);

/* See <explore/explore.h>. */
RUNTIME_EXPORT void explore_runtime_fail(const char *message);
RUNTIME_EXPORT unsigned int explore_runtime_choose(unsigned int nr);
RUNTIME_EXPORT int explore_runtime_is_active(void);

#endif /* PRELOAD_INTERPOSE_H */
