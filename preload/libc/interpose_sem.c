/* SPDX-License-Identifier: MIT */
/*
 * interpose_sem.c - POSIX semaphores, unnamed and named.
 *
 * The real semaphore has the value; the model's copy is refreshed from it
 * before an operation is announced and when it is carried out. A semaphore
 * that another process can post is left to the C library, whose futex calls
 * the runtime sees.
 *
 * What may be added here: forwarding, and telling the model what the real
 * call did. Who gets a posted unit is the scheduler's matter.
 */
#include "preload/libc/interpose.h"
#include "preload/core/rounds.h"
#include "scheduler/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

struct sem {
	sem_t *sem;
	struct sched_object *object;
	uint32_t id;
	uint64_t pc;
};

static void refresh(const struct sem *m)
{
	int value = 0;

	/* Whoever comes is told, and does not wait before. */
	if (__builtin_expect(misuse_is_destroyed(m->object), 0)) {
		m->object->count = 1;
		return;
	}
	/* Some systems count waiters as negative values. */
	real.sem_getvalue(m->sem, &value);
	m->object->count = value > 0 ? (uint32_t)value : 0;
}

static void open_object(struct sem *m, sem_t *sem, uint64_t pc)
{
	m->sem = sem;
	m->pc = pc;
	m->id = runtime_object(SCHED_CLASS_SEM, sem, pc);
	m->object = scheduler_object(runtime_scheduler(), m->id);
	refresh(m);
}

static bool point(const struct sem *m, uint16_t kind, uint64_t deadline_ns)
{
	const struct runtime_op op = {
		.kind = kind,
		.object = m->id,
		.pc = m->pc,
		.deadline_ns = deadline_ns,
	};

	return runtime_point(&op);
}

static int failed(int error)
{
	errno = error;
	return -1;
}

/*
 * A named one is other processes' too, but mostly nobody's: it counts as ours
 * alone until the run has started another process.
 */
static bool is_shared(const struct sem *m)
{
	return m->object->flags & SCHED_OBJECT_SHARED ||
	       (m->object->flags & SCHED_OBJECT_NAMED &&
		runtime_control->counters.forks);
}

/* ---------------------------------------------------------------- waits */

static int wait_really(const struct sem *m, clockid_t clock,
		       const struct timespec *abstime)
{
	if (!abstime)
		return real.sem_wait(m->sem);
	if (clock == CLOCK_REALTIME)
		return real.sem_timedwait(m->sem, abstime);
	return real.sem_clockwait(m->sem, clock, abstime);
}

/*
 * Whether a signal ends the wait: SA_RESTART counts for those without a
 * deadline only, see signal(7).
 */
static bool is_ended_by_signal(uint64_t deadline_ns)
{
	enum interpose_interruption by = interpose__was_interrupted();

	return by == INTERPOSE_BY_SIGNAL ||
	       (by == INTERPOSE_BY_RESTARTING && deadline_ns);
}

/* One round of waiting; returns 0, an errno value, or EAGAIN: once more. */
static int wait_once(const struct sem *m, uint16_t kind, uint64_t deadline_ns)
{
	bool timed_out;

	refresh(m);
	timed_out = point(m, kind, deadline_ns);
	if (timed_out)
		return ETIMEDOUT;
	if (real.sem_trywait(m->sem) == 0) {
		refresh(m);
		return 0;
	}
	if (errno == EAGAIN && is_ended_by_signal(deadline_ns))
		return EINTR;
	return errno;
}

static int wait_on(sem_t *sem, clockid_t clock, const struct timespec *abstime,
		   uint64_t pc)
{
	uint16_t kind = abstime ? EXPLORE_OP_SEM_TIMEDWAIT
				: EXPLORE_OP_SEM_WAIT;
	int before = errno, r;
	uint64_t deadline_ns;
	struct sem m;

	if (abstime && !interpose__is_valid(abstime))
		return failed(EINVAL);
	open_object(&m, sem, pc);
	if (is_shared(&m)) {
		/* Not the blocking kind: the value may come from outside. */
		point(&m, EXPLORE_OP_SEM_TRYWAIT, 0);
		return wait_really(&m, clock, abstime);
	}
	deadline_ns = abstime ? interpose__deadline(clock, abstime) : 0;
	interpose__uninterrupted(pc);
	do {
		r = wait_once(&m, kind, deadline_ns);
	} while (r == EAGAIN);
	if (abstime)
		scheduler_note_result(runtime_scheduler(), runtime_self(),
				      (uint64_t)r);
	if (r)
		return failed(r);
	errno = before;
	return 0;
}

/* ------------------------------------------------- interposed functions */

RUNTIME_EXPORT int sem_init(sem_t *sem, int pshared, unsigned int value)
{
	int r = interpose__native()->sem_init(sem, pshared, value);

	if (!r)
		interpose__initialised(SCHED_CLASS_SEM, sem,
				       pshared ? SCHED_OBJECT_SHARED : 0, 0,
				       RUNTIME_CALLER);
	return r;
}

RUNTIME_EXPORT int sem_destroy(sem_t *sem)
{
	bool is_ours;
	struct sem m;
	int r;

	if (!runtime_is_on())
		return interpose__native()->sem_destroy(sem);
	open_object(&m, sem, RUNTIME_CALLER);
	point(&m, EXPLORE_OP_SEM_DESTROY, 0);
	refresh(&m);
	if (!m.object->count &&
	    interpose__has_waiter(m.id, EXPLORE_OP_SEM_WAIT,
				  EXPLORE_OP_SEM_TIMEDWAIT))
		interpose__misuse(m.id, m.pc, "destruction of a semaphore that "
					      "tasks wait on");
	is_ours = !is_shared(&m);
	r = real.sem_destroy(sem);
	scheduler_object_reset(runtime_scheduler(), m.id);
	if (r || !is_ours)
		return r;
	misuse_destroyed(m.id);
	refresh(&m);
	return r;
}

RUNTIME_EXPORT sem_t *sem_open(const char *name, int flags, ...)
{
	unsigned int value = 0;
	mode_t mode = 0;
	va_list args;
	sem_t *sem;

	if (flags & O_CREAT) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		value = va_arg(args, unsigned int);
		va_end(args);
	}
	sem = interpose__native()->sem_open(name, flags, mode, value);
	/* Opened twice it has one address, and waiters: nothing is reset. */
	if (sem != SEM_FAILED && runtime_is_on()) {
		uint32_t id = runtime_object(SCHED_CLASS_SEM, sem,
					     RUNTIME_CALLER);

		scheduler_object(runtime_scheduler(), id)->flags |=
			SCHED_OBJECT_NAMED;
	}
	return sem;
}

RUNTIME_EXPORT int sem_wait(sem_t *sem)
{
	if (!runtime_is_on())
		return interpose__native()->sem_wait(sem);
	return wait_on(sem, 0, NULL, RUNTIME_CALLER);
}

RUNTIME_EXPORT int sem_timedwait(sem_t *sem, const struct timespec *abstime)
{
	if (!runtime_is_on())
		return interpose__native()->sem_timedwait(sem, abstime);
	return wait_on(sem, CLOCK_REALTIME, abstime, RUNTIME_CALLER);
}

RUNTIME_EXPORT int sem_clockwait(sem_t *sem, clockid_t clock,
				 const struct timespec *abstime)
{
	if (!runtime_is_on() ||
	    (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
		return interpose__native()->sem_clockwait(sem, clock, abstime);
	return wait_on(sem, clock, abstime, RUNTIME_CALLER);
}

RUNTIME_EXPORT int sem_trywait(sem_t *sem)
{
	struct scheduler *s;
	struct sem m;
	int r;

	if (!runtime_is_on())
		return interpose__native()->sem_trywait(sem);
	s = runtime_scheduler();
	open_object(&m, sem, RUNTIME_CALLER);
	interpose__try_point(EXPLORE_OP_SEM_TRYWAIT, m.id, m.pc,
			     ROUNDS_OF_TRY(m.pc, m.id));
	r = real.sem_trywait(sem);
	rounds_tried(r, false);
	scheduler_note_result(s, s->current, (uint64_t)r);
	refresh(&m);
	return r;
}

RUNTIME_EXPORT int sem_post(sem_t *sem)
{
	struct sem m;
	int r;

	if (!runtime_is_on())
		return interpose__native()->sem_post(sem);
	open_object(&m, sem, RUNTIME_CALLER);
	point(&m, EXPLORE_OP_SEM_POST, 0);
	/* Once posted it may be gone: the one who waited may destroy it. */
	refresh(&m);
	m.object->count++;
	r = real.sem_post(sem);
	if (r)
		refresh(&m);
	return r;
}

RUNTIME_EXPORT int sem_getvalue(sem_t *sem, int *value)
{
	struct sem m;
	int r;

	if (!runtime_is_on())
		return interpose__native()->sem_getvalue(sem, value);
	open_object(&m, sem, RUNTIME_CALLER);
	point(&m, EXPLORE_OP_SEM_GETVALUE, 0);
	r = real.sem_getvalue(sem, value);
	if (!r)
		scheduler_note_result(runtime_scheduler(), runtime_self(),
				      (uint64_t)*value);
	return r;
}
