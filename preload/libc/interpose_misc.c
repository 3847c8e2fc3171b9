/* SPDX-License-Identifier: MIT */
/*
 * interpose_misc.c - spin locks, one-time initialisation, locked streams,
 * failed assertions, and the functions behind <explore/explore.h>.
 *
 * What may be added here: interposed functions that fit no other file, and
 * only forwarding.
 */
#include "preload/libc/interpose.h"
#include "preload/core/rounds.h"
#include "scheduler/objects.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

/* ----------------------------------------------------------- spin locks */

struct spin {
	pthread_spinlock_t *lock;
	struct sched_object *object;
	uint32_t id;
	uint64_t pc;
};

static void open_spin(struct spin *p, pthread_spinlock_t *lock, uint64_t pc)
{
	p->lock = lock;
	p->pc = pc;
	p->id = runtime_object(SCHED_CLASS_SPIN, (void *)(uintptr_t)lock, pc);
	p->object = scheduler_object(runtime_scheduler(), p->id);
}

/* Whether it is free in reality. */
static bool is_free(const struct spin *p)
{
	if (real.pthread_spin_trylock(p->lock))
		return false;
	real.pthread_spin_unlock(p->lock);
	return true;
}

/* The model says it is held; the memory may have been used anew. */
static void ask_reality(const struct spin *p)
{
	if (is_free(p)) {
		p->object->owner = 0;
		p->object->count = 0;
	} else if (!interpose__is_others(p->object)) {
		runtime_end(CONTROL_VERDICT_SELF_DEADLOCK, 0, p->id, p->pc,
			    "lock of a spin lock that the same thread holds");
	}
}

static int spin_taken(const struct spin *p, int r)
{
	struct scheduler *s = runtime_scheduler();

	if (!r)
		scheduler_acquire(s, p->id, s->current);
	return r;
}

RUNTIME_EXPORT int pthread_spin_lock(pthread_spinlock_t *lock)
{
	struct scheduler *s;
	struct spin p;
	int r;

	if (!runtime_is_on())
		return interpose__native()->pthread_spin_lock(lock);
	s = runtime_scheduler();
	open_spin(&p, lock, RUNTIME_CALLER);
	if (p.object->owner)
		ask_reality(&p);
	for (;;) {
		interpose__point(EXPLORE_OP_SPIN_LOCK, p.id, p.pc);
		r = real.pthread_spin_trylock(lock);
		if (r != EBUSY)
			return spin_taken(&p, r);
		/* Held where we cannot see: spin, but let others run. */
		scheduler_yielded(s, s->current, false);
	}
}

RUNTIME_EXPORT int pthread_spin_trylock(pthread_spinlock_t *lock)
{
	struct scheduler *s;
	struct spin p;
	int r;

	if (!runtime_is_on())
		return interpose__native()->pthread_spin_trylock(lock);
	s = runtime_scheduler();
	open_spin(&p, lock, RUNTIME_CALLER);
	interpose__try_point(EXPLORE_OP_SPIN_TRYLOCK, p.id, p.pc,
			     ROUNDS_OF_TRY(p.pc, p.id));
	r = spin_taken(&p, real.pthread_spin_trylock(lock));
	rounds_tried(r == EBUSY, true);
	scheduler_note_result(s, s->current, (uint64_t)r);
	return r;
}

RUNTIME_EXPORT int pthread_spin_unlock(pthread_spinlock_t *lock)
{
	struct scheduler *s;
	struct spin p;

	if (!runtime_is_on())
		return interpose__native()->pthread_spin_unlock(lock);
	s = runtime_scheduler();
	open_spin(&p, lock, RUNTIME_CALLER);
	interpose__point(EXPLORE_OP_SPIN_UNLOCK, p.id, p.pc);
	if (p.object->owner != s->current + 1) {
		if (is_free(&p))
			interpose__misuse(p.id, p.pc, "unlock of a spin lock "
						      "that is not locked");
		if (p.object->owner)
			interpose__misuse(p.id, p.pc, "unlock of a spin lock "
						      "that another task "
						      "holds");
	}
	scheduler_release(s, p.id);
	return real.pthread_spin_unlock(lock);
}

RUNTIME_EXPORT int pthread_spin_init(pthread_spinlock_t *lock, int pshared)
{
	int r = interpose__native()->pthread_spin_init(lock, pshared);

	if (!r)
		interpose__initialised(SCHED_CLASS_SPIN,
				       (void *)(uintptr_t)lock, 0, 0,
				       RUNTIME_CALLER);
	return r;
}

RUNTIME_EXPORT int pthread_spin_destroy(pthread_spinlock_t *lock)
{
	struct spin p;
	int r;

	if (!runtime_is_on())
		return interpose__native()->pthread_spin_destroy(lock);
	open_spin(&p, lock, RUNTIME_CALLER);
	interpose__point(EXPLORE_OP_SPIN_DESTROY, p.id, p.pc);
	if (interpose__is_owner_alive(p.object) && !is_free(&p))
		interpose__misuse(p.id, p.pc, "destruction of a spin lock that "
					      "is held");
	r = real.pthread_spin_destroy(lock);
	scheduler_object_reset(runtime_scheduler(), p.id);
	if (!r)
		misuse_destroyed(p.id);
	return r;
}

/* ------------------------------------------------------ once, streams */

/*
 * The routine runs inside a wrapper, because what it did happens before
 * whatever sees it done, which others may as soon as it has returned. The real
 * function passes no argument on, so a task's calls form a stack here.
 */
struct once_call {
	void (*routine)(void);
	struct once_call *outer;
	uint32_t object;
	uint32_t task;
};

static struct once_call *once_calls[SCHED_MAX_TASKS];

static void run_routine(void)
{
	struct once_call *call = once_calls[runtime_self()];

	call->routine();
	runtime_release_order(call->object);
}

/* Also when the routine has thrown or was cancelled: the next one tries. */
static void end_once(struct once_call *call)
{
	once_calls[call->task] = call->outer;
	runtime_acquire_order(call->object);
	runtime_release_order(call->object);
}

static void begin_once(struct once_call *call, const void *once,
		       void (*routine)(void), uint64_t pc)
{
	call->object = runtime_object(SCHED_CLASS_ONCE, once, pc);
	interpose__point(EXPLORE_OP_ONCE, call->object, pc);
	call->routine = routine;
	call->task = runtime_self();
	call->outer = once_calls[call->task];
	once_calls[call->task] = call;
}

/* The real one runs the routine, and waits for another's run in a futex. */
RUNTIME_EXPORT int pthread_once(pthread_once_t *once, void (*routine)(void))
{
	if (!runtime_is_on())
		return interpose__native()->pthread_once(once, routine);

	struct once_call call __attribute__((cleanup(end_once))) = { 0 };

	begin_once(&call, once, routine, RUNTIME_CALLER);
	return real.pthread_once(once, run_routine);
}

RUNTIME_EXPORT void call_once(once_flag *once, void (*routine)(void))
{
	if (!runtime_is_on()) {
		interpose__native()->call_once(once, routine);
		return;
	}

	struct once_call call __attribute__((cleanup(end_once))) = { 0 };

	begin_once(&call, once, routine, RUNTIME_CALLER);
	real.call_once(once, run_routine);
}

/*
 * Guards of C++ function-local statics (Itanium C++ ABI, 3.3.3). The compiled
 * code looks at the first byte of the guard itself, so that byte counts as an
 * atomic for the race detector: set by the release, read by the look.
 */
#define GUARD_DONE 1u		/* the byte that compiled code looks at */
#define GUARD_PENDING 0x100u	/* where libstdc++ has it */

/*
 * A C program that loads a C++ library gets here for that library, although no
 * C++ runtime stands behind us in the search order. So here is one.
 */
static int own_guard_acquire(uint32_t *word)
{
	for (;;) {
		uint32_t was = __sync_val_compare_and_swap(word, 0,
							   GUARD_PENDING);

		if (!was)
			return 1;
		if (was & GUARD_DONE)
			return 0;
		sched_yield();
	}
}

RUNTIME_EXPORT int __cxa_guard_acquire(uint64_t *guard)
{
	int r = real.__cxa_guard_acquire ?
			real.__cxa_guard_acquire(guard) :
			own_guard_acquire((uint32_t *)guard);

	runtime_note_atomic((uintptr_t)guard, 1);
	return r;
}

RUNTIME_EXPORT void __cxa_guard_release(uint64_t *guard)
{
	runtime_note_atomic((uintptr_t)guard, 1);
	if (real.__cxa_guard_release)
		real.__cxa_guard_release(guard);
	else
		*(volatile uint32_t *)guard = GUARD_DONE;
}

static int file_trylock(void *f)
{
	return real.ftrylockfile(f) ? EBUSY : 0;
}

static int file_lock(void *f)
{
	real.flockfile(f);
	return 0;
}

static int file_unlock(void *f)
{
	real.funlockfile(f);
	return 0;
}

/* A lock of its stream is recursive, so it is never waited for by its owner. */
const struct interpose_lock_ops interpose__file_ops = {
	.noun = "stream",
	.trylock = file_trylock,
	.lock = file_lock,
	.unlock = file_unlock,
};

RUNTIME_EXPORT void flockfile(FILE *f)
{
	if (runtime_is_on())
		interpose__lock(&interpose__file_ops, f, RUNTIME_CALLER);
	else
		interpose__native()->flockfile(f);
}

RUNTIME_EXPORT int ftrylockfile(FILE *f)
{
	if (!runtime_is_on())
		return interpose__native()->ftrylockfile(f);
	return interpose__trylock(&interpose__file_ops, f, RUNTIME_CALLER);
}

RUNTIME_EXPORT void funlockfile(FILE *f)
{
	if (runtime_is_on())
		interpose__unlock(&interpose__file_ops, f, RUNTIME_CALLER);
	else
		interpose__native()->funlockfile(f);
}

/* ----------------------------------------------------------- processors */

/*
 * Constructors run before any trap, on the one processor that the carrier has.
 * OpenMP's counts there how many threads to make: tell it what a run is told.
 */
static bool is_before_main(void)
{
	return runtime_control && runtime_mode == RUNTIME_NATIVE &&
	       runtime_control->state == CONTROL_STATE_STARTING;
}

static void fill_affinity(size_t bytes, cpu_set_t *set)
{
	memset(set, 0, bytes);
	if (bytes)
		*(unsigned char *)set = THREADS_PROCESSORS;
}

RUNTIME_EXPORT int pthread_getaffinity_np(pthread_t thread, size_t bytes,
					  cpu_set_t *set)
{
	int r = interpose__native()->pthread_getaffinity_np(thread, bytes, set);

	if (!r && is_before_main())
		fill_affinity(bytes, set);
	return r;
}

RUNTIME_EXPORT int sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *set)
{
	int r = interpose__native()->sched_getaffinity(pid, bytes, set);

	if (!r && is_before_main())
		fill_affinity(bytes, set);
	return r;
}

/* ----------------------------------------------------------- assertions */

/* The text as the real function prints it, but for the program's name. */
RUNTIME_EXPORT void __assert_fail(const char *expr, const char *file,
				  unsigned int line, const char *function)
{
	static char text[CONTROL_MESSAGE_BYTES];

	if (runtime_mode == RUNTIME_CONTROLLED) {
		runtime_format(text, sizeof(text),
			       "%s:%u: %s%sAssertion `%s' failed.", file, line,
			       function ? function : "", function ? ": " : "",
			       expr);
		runtime_note_assert(text, RUNTIME_CALLER);
	}
	interpose__native()->__assert_fail(expr, file, line, function);
	__builtin_unreachable();
}

RUNTIME_EXPORT void __assert_perror_fail(int error, const char *file,
					 unsigned int line,
					 const char *function)
{
	static char text[CONTROL_MESSAGE_BYTES];

	if (runtime_mode == RUNTIME_CONTROLLED) {
		runtime_format(text, sizeof(text),
			       "%s:%u: %s%sUnexpected error: %d.", file, line,
			       function ? function : "", function ? ": " : "",
			       error);
		runtime_note_assert(text, RUNTIME_CALLER);
	}
	interpose__native()->__assert_perror_fail(error, file, line, function);
	__builtin_unreachable();
}

/* ----------------------------------------------------- explore/explore.h */

int explore_runtime_is_active(void)
{
	return runtime_mode == RUNTIME_CONTROLLED;
}

void explore_runtime_fail(const char *message)
{
	if (runtime_mode == RUNTIME_CONTROLLED)
		runtime_end(CONTROL_VERDICT_FAIL, 0, 0, RUNTIME_CALLER,
			    message ? message : "");
}

unsigned int explore_runtime_choose(unsigned int nr)
{
	if (runtime_mode != RUNTIME_CONTROLLED || nr < 2)
		return 0;
	return runtime_choose(nr);
}
