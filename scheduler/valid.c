/* SPDX-License-Identifier: MIT */
/*
 * valid.c - the invariants of the model, checked.
 */
#include "scheduler/internal.h"
#include "scheduler/valid.h"
#include "scheduler/objects.h"

static bool is_live_list_valid(const struct scheduler *s)
{
	uint32_t nr_alive = 0;

	if (s->nr_tasks > SCHED_MAX_TASKS || s->nr_live > s->nr_tasks ||
	    s->max_live < s->nr_live)
		return false;
	for (uint32_t i = 0; i < s->nr_live; i++) {
		if (i && s->live[i] <= s->live[i - 1])
			return false;
		if (s->live[i] >= s->nr_tasks ||
		    s->task[s->live[i]].state != SCHED_TASK_ALIVE)
			return false;
	}
	for (uint32_t t = 0; t < s->nr_tasks; t++)
		nr_alive += s->task[t].state == SCHED_TASK_ALIVE;
	return nr_alive == s->nr_live;
}

static bool is_task_valid(const struct scheduler *s, uint32_t id)
{
	const struct sched_task *t = &s->task[id];

	if (t->id != id || t->op.task != id || t->op.kind >= EXPLORE_OP_NR ||
	    t->state == SCHED_TASK_FREE)
		return false;
	if (t->op.object > s->nr_objects || t->op.object2 > s->nr_objects ||
	    t->wait_object > s->nr_objects)
		return false;
	/*
	 * A task in a queue has not been woken; a task in no queue has no
	 * successor.
	 */
	if (t->wait_object ? t->wake != SCHED_WAKE_NONE : t->next_waiter != 0)
		return false;
	if (t->state == SCHED_TASK_DEAD)
		return !t->wait_object && !t->enabled_since;
	/* Stamps do not lie in the future; see fairness.c for the window. */
	return t->enabled_since <= s->step + 1 &&
	       t->last_scheduled <= s->step &&
	       t->last_yield <= t->last_scheduled &&
	       t->window <= t->last_yield;
}

static bool is_queue_valid(const struct scheduler *s, uint32_t id)
{
	const struct sched_object *o = &s->object[id - 1];
	uint32_t nr = 0;
	uint32_t last = 0;

	for (uint32_t w = o->wait_head; w; w = s->task[w - 1].next_waiter) {
		if (w > s->nr_tasks || s->task[w - 1].wait_object != id ||
		    ++nr > o->nr_waiters)
			return false;
		last = w;
	}
	return nr == o->nr_waiters && last == o->wait_tail;
}

static bool is_object_valid(const struct scheduler *s, uint32_t id)
{
	const struct sched_object *o = &s->object[id - 1];

	if (o->class == SCHED_CLASS_NONE || o->owner > s->nr_tasks ||
	    scheduler_object_find(s, o->class, o->addr) != id)
		return false;
	switch (o->class) {
	case SCHED_CLASS_MUTEX:
	case SCHED_CLASS_SPIN:
		if (!o->owner != !o->count)
			return false;
		break;
	case SCHED_CLASS_RWLOCK:
		if ((o->owner && o->count) || o->nr_holders > o->count ||
		    o->nr_holders > SCHED_MAX_HOLDERS)
			return false;
		break;
	case SCHED_CLASS_BARRIER:
		if (o->limit && o->count >= o->limit)
			return false;
		break;
	default:
		break;
	}
	return is_queue_valid(s, id);
}

/* Every object was found through its bucket: no other may be in use. */
static bool is_table_valid(const struct scheduler *s)
{
	uint32_t nr = 0;

	if (s->nr_objects > SCHED_MAX_OBJECTS ||
	    s->nr_buckets < SCHED_MIN_BUCKETS ||
	    s->nr_buckets > SCHED_NR_BUCKETS ||
	    (s->nr_buckets & (s->nr_buckets - 1)) ||
	    s->nr_objects > s->nr_buckets / 2)
		return false;
	for (uint32_t i = 0; i < s->nr_buckets; i++) {
		if (s->bucket[i] > s->nr_objects)
			return false;
		nr += s->bucket[i] != 0;
	}
	return nr == s->nr_objects;
}

bool scheduler_is_valid(const struct scheduler *s)
{
	uint64_t nr_waiters = 0;

	if (!is_live_list_valid(s) || !is_table_valid(s))
		return false;
	for (uint32_t id = 1; id <= s->nr_objects; id++) {
		if (!is_object_valid(s, id))
			return false;
		nr_waiters += s->object[id - 1].nr_waiters;
	}
	for (uint32_t t = 0; t < s->nr_tasks; t++) {
		if (!is_task_valid(s, t))
			return false;
		nr_waiters -= s->task[t].wait_object != 0;
	}
	return !nr_waiters && (!s->nr_tasks || s->current < s->nr_tasks);
}
