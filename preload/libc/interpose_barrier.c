/* SPDX-License-Identifier: MIT */
/*
 * interpose_barrier.c - barriers.
 *
 * A barrier of this process is the model's alone: nobody ever waits at the
 * real one. One that is shared between processes, or whose initialisation was
 * not seen, is left to the C library.
 *
 * What may be added here: forwarding, and telling the model what the real
 * call did.
 */
#include "preload/libc/interpose.h"
#include "scheduler/objects.h"

#include <errno.h>

RUNTIME_EXPORT int pthread_barrier_init(pthread_barrier_t *b,
					const pthread_barrierattr_t *attr,
					unsigned int count)
{
	int r = interpose__native()->pthread_barrier_init(b, attr, count);
	int shared = PTHREAD_PROCESS_PRIVATE;

	if (r)
		return r;
	if (attr && !pthread_barrierattr_getpshared(attr, &shared) &&
	    shared == PTHREAD_PROCESS_SHARED)
		count = 0;	/* left to the C library */
	interpose__initialised(SCHED_CLASS_BARRIER, b, 0, count,
			       RUNTIME_CALLER);
	return 0;
}

RUNTIME_EXPORT int pthread_barrier_destroy(pthread_barrier_t *b)
{
	uint64_t pc = RUNTIME_CALLER;
	struct scheduler *s;
	bool is_ours;
	uint32_t id;
	int r;

	if (!runtime_is_on())
		return interpose__native()->pthread_barrier_destroy(b);
	s = runtime_scheduler();
	id = runtime_object(SCHED_CLASS_BARRIER, b, pc);
	interpose__point(EXPLORE_OP_BARRIER_DESTROY, id, pc);
	if (scheduler_object(s, id)->count)
		interpose__misuse(id, pc, "destruction of a barrier that tasks "
					  "wait at");
	is_ours = scheduler_object(s, id)->limit;
	r = real.pthread_barrier_destroy(b);
	scheduler_object_reset(s, id);
	if (!r && is_ours)
		misuse_destroyed(id);
	return r;
}

RUNTIME_EXPORT int pthread_barrier_wait(pthread_barrier_t *b)
{
	uint64_t pc = RUNTIME_CALLER;
	const struct sched_object *o;
	struct scheduler *s;
	uint32_t id, self;

	if (!runtime_is_on())
		return interpose__native()->pthread_barrier_wait(b);
	s = runtime_scheduler();
	self = s->current;
	id = runtime_object(SCHED_CLASS_BARRIER, b, pc);
	o = scheduler_object(s, id);
	interpose__point(EXPLORE_OP_BARRIER_WAIT, id, pc);
	if (!o->limit)
		return real.pthread_barrier_wait(b);
	if (scheduler_barrier_arrive(s, id, self))
		return PTHREAD_BARRIER_SERIAL_THREAD;
	/* A signal handler may run meanwhile; that does not end the wait. */
	do {
		interpose__point(EXPLORE_OP_BARRIER_LEAVE, id, pc);
	} while (o->generation == s->task[self].wait_generation);
	return 0;
}
