/* SPDX-License-Identifier: MIT */
/*
 * misuse.c - operations on objects that are no more: destroyed, or in memory
 * that was given back.
 *
 * Looked at when the operation is carried out, not when it is announced: what
 * others do meanwhile counts.
 *
 * An object comes back to life by its init function, which the model is told
 * of, or by a plain store of a static initialiser, which nobody tells. So a
 * destroyed object is filled with bytes that no initialiser has: as long as
 * they are there, nobody made it anew. Nothing may be read from it in between.
 */
#include "preload/libc/interpose.h"

#include "preload/core/core.h"
#include "preload/memory/freed.h"

#define POISON 0xd5u	/* as a whole word, no value of a field */

static const struct {
	const char *noun;	/* NULL: not an object in memory */
	uint32_t bytes;		/* that are filled; 0: the C library does it */
} class_of[] = {
	[SCHED_CLASS_MUTEX] = { "mutex", 0 },
	[SCHED_CLASS_RWLOCK] = { "reader-writer lock",
				 sizeof(pthread_rwlock_t) },
	[SCHED_CLASS_SPIN] = { "spin lock", sizeof(pthread_spinlock_t) },
	[SCHED_CLASS_COND] = { "condition variable", sizeof(pthread_cond_t) },
	[SCHED_CLASS_SEM] = { "semaphore", sizeof(sem_t) },
	[SCHED_CLASS_BARRIER] = { "barrier", sizeof(pthread_barrier_t) },
};

static bool is_in_memory(const struct sched_object *o)
{
	return o->class < sizeof(class_of) / sizeof(class_of[0]) &&
	       class_of[o->class].noun;
}

void misuse_destroyed(uint32_t id)
{
	struct sched_object *o = scheduler_object(runtime_scheduler(), id);

	if (runtime_mode != RUNTIME_CONTROLLED)
		return;
	memset((void *)(uintptr_t)o->addr, POISON, class_of[o->class].bytes);
	o->flags = SCHED_OBJECT_DESTROYED;
}

bool misuse_is_destroyed(struct sched_object *o)
{
	uint32_t bytes = class_of[o->class].bytes;

	if (!(o->flags & SCHED_OBJECT_DESTROYED) || !bytes)
		return false;
	for (uint32_t i = 0; i < bytes; i += 4) {
		uint32_t word = 0;

		if (sys_load32((void *)(uintptr_t)(o->addr + i), &word) &&
		    word == POISON * 0x01010101u)
			continue;
		o->flags &= (uint8_t)~SCHED_OBJECT_DESTROYED;
		return false;
	}
	return true;
}

/*
 * Who was woken from a condition variable, or let through a barrier, may still
 * be on the way out when it is destroyed: the destruction waits for that.
 */
static bool is_on_its_way_out(uint16_t kind, const struct sched_object *o)
{
	return (kind == EXPLORE_OP_COND_WAKE && o->class == SCHED_CLASS_COND) ||
	       kind == EXPLORE_OP_BARRIER_LEAVE;
}

static void check(const struct runtime_op *op, uint32_t id)
{
	struct sched_object *o = scheduler_object(runtime_scheduler(), id);
	bool leaves = is_on_its_way_out(op->kind, o);
	char text[96];

	if (!is_in_memory(o))
		return;
	if (o->flags & SCHED_OBJECT_DESTROYED) {
		if (leaves)
			return;
		if (misuse_is_destroyed(o)) {
			runtime_format(text, sizeof(text),
				       "use of a %s that is destroyed",
				       class_of[o->class].noun);
			interpose__misuse(id, op->pc, text);
		}
	}
	if (freed_has(o->addr, 1)) {
		runtime_format(text, sizeof(text), "%s of a %s",
			       leaves ? "end of a wait" : "use",
			       class_of[o->class].noun);
		freed_end(text, o->addr, id, op->pc);
	}
}

void misuse_check(const struct runtime_op *op)
{
	if (op->object)
		check(op, op->object);
	if (op->object2)
		check(op, op->object2);
}

void misuse_check_waiters(const struct scheduler *s)
{
	for (uint32_t i = 0; i < s->nr_live; i++) {
		const struct sched_task *t = &s->task[s->live[i]];
		const struct sched_object *o;
		char text[96];

		if (!t->op.object)
			continue;
		o = &s->object[t->op.object - 1];
		if (!is_in_memory(o) || !freed_has(o->addr, 1))
			continue;
		runtime_format(text, sizeof(text), "task %u waits for a %s",
			       t->id, class_of[o->class].noun);
		runtime_control->verdict.task = t->id;
		freed_end(text, o->addr, t->op.object, t->pc);
	}
}
