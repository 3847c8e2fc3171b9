/* SPDX-License-Identifier: MIT */
/*
 * objects.h - the table of objects, and what operations do to them.
 */
#ifndef SCHEDULER_OBJECTS_H
#define SCHEDULER_OBJECTS_H

#include "scheduler/scheduler.h"

/*
 * Id of the object of that class at that address, made on first use. Returns
 * 0 when the table is full.
 */
uint32_t scheduler_object_id(struct scheduler *s, enum sched_class class,
			     uint64_t addr, uint64_t pc);

/* The same without making one: 0 when it was never used. */
uint32_t scheduler_object_find(const struct scheduler *s,
			       enum sched_class class, uint64_t addr);

/*
 * Forget the object's state: it was initialised anew. Its id stays, and so do
 * tasks in its queue and a barrier's generation (some may still be leaving).
 */
void scheduler_object_reset(struct scheduler *s, uint32_t id);

/* t now holds the lock (mutex, spin: recursion counts; rwlock: as writer). */
void scheduler_acquire(struct scheduler *s, uint32_t id, uint32_t t);

/* One level less; at zero nobody holds it. */
void scheduler_release(struct scheduler *s, uint32_t id);

/* rwlock, read side. */
void scheduler_acquire_shared(struct scheduler *s, uint32_t id, uint32_t t);
void scheduler_release_shared(struct scheduler *s, uint32_t id, uint32_t t);

/* Queue t on the object; its `wake` becomes SCHED_WAKE_NONE. */
void scheduler_wait(struct scheduler *s, uint32_t id, uint32_t t,
		    uint32_t mask);

/* Take t out of whatever queue it is in, and say why. No-op if in none. */
void scheduler_unwait(struct scheduler *s, uint32_t t, enum sched_wake why);

/*
 * Wake up to `max` waiters whose mask meets `mask`, in queue order, or as the
 * strategy chooses with config.wake_any. Returns how many in *nr_woken.
 */
enum sched_result scheduler_wake(struct scheduler *s,
				 const struct scheduler_env *env, uint32_t id,
				 uint32_t max, uint32_t mask,
				 uint32_t *nr_woken);

/* Move up to `max` waiters to the end of the queue of `to`. */
uint32_t scheduler_requeue(struct scheduler *s, uint32_t from, uint32_t to,
			   uint32_t max);

/*
 * t arrives at a barrier of `limit`. Returns true if it opened it, else t's
 * BARRIER_LEAVE waits for that.
 */
bool scheduler_barrier_arrive(struct scheduler *s, uint32_t id, uint32_t t);

#endif /* SCHEDULER_OBJECTS_H */
