/* SPDX-License-Identifier: MIT */
/*
 * cycle.c - tasks that wait for one another's locks.
 *
 * Each task waits for at most one lock, and only locks with a single holder
 * are followed, so "waits for" leads from a task to at most one other. A lock
 * that several readers hold ends the chain: it takes more to show that none of
 * them can go on, and a whole deadlock is found without this anyway.
 */
#include "scheduler/internal.h"
#include "scheduler/cycle.h"

#define NOBODY UINT32_MAX

static uint32_t owner_of(const struct sched_object *o)
{
	return o->owner ? o->owner - 1 : NOBODY;
}

/* The only task among the read holders, if it is the only one. */
static uint32_t single_reader(const struct sched_object *o)
{
	if (!o->count || o->nr_holders != o->count)
		return NOBODY;
	for (uint32_t i = 1; i < o->nr_holders; i++)
		if (o->holder[i] != o->holder[0])
			return NOBODY;
	return o->holder[0];
}

/* A reader waits for the writer, or for the one that is let in before it. */
static uint32_t blocks_reader(const struct scheduler *s,
			      const struct sched_task *t)
{
	const struct sched_object *o = &s->object[t->op.object - 1];
	const struct sched_task *writer;

	if (o->owner)
		return owner_of(o);
	if (!(o->flags & SCHED_OBJECT_PREFERS_WRITER))
		return NOBODY;
	writer = scheduler__waiting_writer(s, t->op.object);
	return writer ? writer->id : NOBODY;
}

/* Whether only the mutex is missing for a condition's waiter to return. */
static bool has_ended_waiting(const struct scheduler *s,
			      const struct sched_task *t)
{
	return t->wake != SCHED_WAKE_NONE ||
	       (t->flags & SCHED_TASK_INTERRUPTED) ||
	       scheduler__has_come(s, t->deadline_ns);
}

/* The object whose lock the task's announced operation takes, or 0. */
static uint32_t wanted_lock(const struct scheduler *s,
			    const struct sched_task *t)
{
	switch (t->op.kind) {
	case EXPLORE_OP_MUTEX_LOCK:
	case EXPLORE_OP_SPIN_LOCK:
	case EXPLORE_OP_RWLOCK_RDLOCK:
	case EXPLORE_OP_RWLOCK_WRLOCK:
		return t->op.object;
	case EXPLORE_OP_FUTEX_LOCK_PI:
		return t->wake == SCHED_WAKE_NONE ? t->op.object : 0;
	case EXPLORE_OP_COND_WAKE:
		return has_ended_waiting(s, t) ? t->op.object2 : 0;
	default:
		return 0;
	}
}

/* The task that `t` waits for, or NOBODY. */
static uint32_t blocker(const struct scheduler *s, const struct sched_task *t)
{
	uint32_t id = wanted_lock(s, t);
	const struct sched_object *o;
	uint32_t by;

	if (t->state != SCHED_TASK_ALIVE || !id)
		return NOBODY;
	/* A wait for the mutex after a timed wait is a wait without end. */
	if (t->deadline_ns != SCHED_NEVER && t->op.kind != EXPLORE_OP_COND_WAKE)
		return NOBODY;
	o = &s->object[id - 1];
	if (o->flags & SCHED_OBJECT_FOREIGN)
		return NOBODY;
	if (t->op.kind == EXPLORE_OP_RWLOCK_RDLOCK)
		by = blocks_reader(s, t);
	else if (t->op.kind == EXPLORE_OP_RWLOCK_WRLOCK && !o->owner)
		return single_reader(o);	/* may be itself: an upgrade */
	else
		by = owner_of(o);
	/* What it has already it does not wait for. */
	return by == t->id ? NOBODY : by;
}

uint32_t scheduler_find_cycle(const struct scheduler *s, uint32_t t,
			      uint32_t *cycle, uint32_t max)
{
	uint32_t at = t;
	uint32_t nr = 0;

	/* Longer than all live tasks: it runs in a circle without t. */
	for (uint32_t length = 0; length < s->nr_live; length++) {
		if (nr < max)
			cycle[nr++] = at;
		at = blocker(s, &s->task[at]);
		if (at == NOBODY)
			return 0;
		if (at == t)
			return nr;
	}
	return 0;
}
