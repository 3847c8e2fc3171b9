/* SPDX-License-Identifier: MIT */
/*
 * interpose_c11.c - the thread functions of C11's <threads.h>.
 *
 * A C11 mutex or condition variable is to the model what a POSIX one is; only
 * the real functions and the way results are told differ. That both have one
 * representation in some C libraries is not relied upon. thrd_sleep and
 * thrd_yield need nothing here, their system calls do.
 *
 * What may be added here: forwarding, and translation of results.
 */
#include "preload/libc/interpose.h"

#include <errno.h>

/* C11 has one word for every error; EINVAL is as good as any other then. */
static int errno_of(int thrd)
{
	switch (thrd) {
	case thrd_success:
		return 0;
	case thrd_busy:
		return EBUSY;
	case thrd_timedout:
		return ETIMEDOUT;
	case thrd_nomem:
		return ENOMEM;
	default:
		return EINVAL;
	}
}

static int thrd_of(int error)
{
	switch (error) {
	case 0:
		return thrd_success;
	case EBUSY:
		return thrd_busy;
	case ETIMEDOUT:
		return thrd_timedout;
	case ENOMEM:
		return thrd_nomem;
	default:
		return thrd_error;
	}
}

/* -------------------------------------------------------------- mutexes */

static int trylock(void *m)
{
	return errno_of(real.mtx_trylock(m));
}

static int lock(void *m)
{
	return errno_of(real.mtx_lock(m));
}

/* Always against TIME_UTC. */
static int timedlock(void *m, clockid_t clock, const struct timespec *t)
{
	(void)clock;
	return errno_of(real.mtx_timedlock(m, t));
}

static int unlock(void *m)
{
	return errno_of(real.mtx_unlock(m));
}

static int destroy(void *m)
{
	real.mtx_destroy(m);
	return 0;
}

const struct interpose_lock_ops interpose__mtx_ops = {
	.noun = "mutex",
	.bytes = sizeof(mtx_t),
	.trylock = trylock,
	.lock = lock,
	.timedlock = timedlock,
	.unlock = unlock,
	.destroy = destroy,
};

RUNTIME_EXPORT int mtx_init(mtx_t *m, int type)
{
	int r = interpose__native()->mtx_init(m, type);

	if (r == thrd_success)
		interpose__initialised(SCHED_CLASS_MUTEX, m, 0, 0,
				       RUNTIME_CALLER);
	return r;
}

RUNTIME_EXPORT void mtx_destroy(mtx_t *m)
{
	if (runtime_is_on())
		interpose__destroy(&interpose__mtx_ops, m, RUNTIME_CALLER);
	else
		interpose__native()->mtx_destroy(m);
}

RUNTIME_EXPORT int mtx_lock(mtx_t *m)
{
	if (!runtime_is_on())
		return interpose__native()->mtx_lock(m);
	return thrd_of(interpose__lock(&interpose__mtx_ops, m,
				       RUNTIME_CALLER));
}

RUNTIME_EXPORT int mtx_trylock(mtx_t *m)
{
	if (!runtime_is_on())
		return interpose__native()->mtx_trylock(m);
	return thrd_of(interpose__trylock(&interpose__mtx_ops, m,
					  RUNTIME_CALLER));
}

RUNTIME_EXPORT int mtx_timedlock(mtx_t *restrict m,
				 const struct timespec *restrict abstime)
{
	if (!runtime_is_on())
		return interpose__native()->mtx_timedlock(m, abstime);
	return thrd_of(interpose__timedlock(&interpose__mtx_ops, m,
					    CLOCK_REALTIME, abstime,
					    RUNTIME_CALLER));
}

RUNTIME_EXPORT int mtx_unlock(mtx_t *m)
{
	if (!runtime_is_on())
		return interpose__native()->mtx_unlock(m);
	return thrd_of(interpose__unlock(&interpose__mtx_ops, m,
					 RUNTIME_CALLER));
}

/* -------------------------------------------------- condition variables */

RUNTIME_EXPORT int cnd_init(cnd_t *c)
{
	int r = interpose__native()->cnd_init(c);

	if (r == thrd_success)
		interpose__initialised(SCHED_CLASS_COND, c, 0, 0,
				       RUNTIME_CALLER);
	return r;
}

RUNTIME_EXPORT void cnd_destroy(cnd_t *c)
{
	uint32_t id = 0;

	if (runtime_is_on())
		id = interpose__cond_end(c, RUNTIME_CALLER);
	interpose__native()->cnd_destroy(c);
	if (id)
		interpose__cond_ended(id);
}

RUNTIME_EXPORT int cnd_signal(cnd_t *c)
{
	if (runtime_is_on())
		interpose__cond_wake(c, false, RUNTIME_CALLER);
	return interpose__native()->cnd_signal(c);
}

RUNTIME_EXPORT int cnd_broadcast(cnd_t *c)
{
	if (runtime_is_on())
		interpose__cond_wake(c, true, RUNTIME_CALLER);
	return interpose__native()->cnd_broadcast(c);
}

RUNTIME_EXPORT int cnd_wait(cnd_t *c, mtx_t *m)
{
	struct interpose_lock l;

	if (!runtime_is_on())
		return interpose__native()->cnd_wait(c, m);
	interpose__lock_open(&l, &interpose__mtx_ops, m, RUNTIME_CALLER);
	return thrd_of(interpose__cond_wait(c, &l, 0));
}

RUNTIME_EXPORT int cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m,
				 const struct timespec *restrict abstime)
{
	struct interpose_lock l;
	uint64_t deadline_ns;

	if (!runtime_is_on())
		return interpose__native()->cnd_timedwait(c, m, abstime);
	if (!interpose__is_valid(abstime))
		return thrd_error;
	deadline_ns = interpose__deadline(CLOCK_REALTIME, abstime);
	interpose__lock_open(&l, &interpose__mtx_ops, m, RUNTIME_CALLER);
	return thrd_of(interpose__cond_wait(c, &l, deadline_ns));
}

/* -------------------------------------------------------------- threads */

RUNTIME_EXPORT int thrd_create(thrd_t *thread, thrd_start_t start, void *arg)
{
	int r;

	if (!runtime_is_on())
		zygote_hold();
	if (!runtime_is_on())
		return interpose__native()->thrd_create(thread, start, arg);
	interpose__point(EXPLORE_OP_THREAD_CREATE, 0, RUNTIME_CALLER);
	r = real.thrd_create(thread, start, arg);
	if (r == thrd_success)
		runtime_name_child((uint64_t)*thread,
				   (uint64_t)(uintptr_t)start);
	return r;
}

RUNTIME_EXPORT int thrd_join(thrd_t thread, int *value)
{
	struct sched_task *target;
	int r, t;

	if (!runtime_is_on())
		return interpose__native()->thrd_join(thread, value);
	t = runtime_task_by_handle((uint64_t)thread);
	if (t < 0 || (uint32_t)t == runtime_self())
		return real.thrd_join(thread, value);
	target = scheduler_task(runtime_scheduler(), (uint32_t)t);
	if (target->flags & SCHED_TASK_DETACHED)
		return real.thrd_join(thread, value);
	r = interpose__await((uint32_t)t, 0, RUNTIME_CALLER);
	if (r)
		return thrd_of(r);
	r = real.thrd_join(thread, value);
	if (r == thrd_success)
		target->flags |= SCHED_TASK_JOINED;
	return r;
}

RUNTIME_EXPORT int thrd_detach(thrd_t thread)
{
	uint64_t pc = RUNTIME_CALLER;
	int r, t;

	if (!runtime_is_on())
		return interpose__native()->thrd_detach(thread);
	t = runtime_task_by_handle((uint64_t)thread);
	if (t < 0)
		return real.thrd_detach(thread);
	interpose__point(EXPLORE_OP_THREAD_DETACH,
			 interpose__thread_object((uint32_t)t, pc), pc);
	r = real.thrd_detach(thread);
	if (r == thrd_success)
		scheduler_task(runtime_scheduler(), (uint32_t)t)->flags |=
			SCHED_TASK_DETACHED;
	return r;
}
