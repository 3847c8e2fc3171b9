/* SPDX-License-Identifier: MIT */
/*
 * objects.c - the table of objects and what operations do to them.
 *
 * Ids are given in order of first use and never again in a run. The hash table
 * (open addressing, linear probing, at most half full) starts small so that
 * clearing it between runs costs nothing. bucket[i] is 0 for i >= nr_buckets.
 */
#include "scheduler/internal.h"
#include "scheduler/objects.h"

/* ---------------------------------------------------------------- table */

static uint32_t hash(enum sched_class class, uint64_t addr)
{
	uint64_t h = (addr ^ ((uint64_t)class << 57)) * 0x9e3779b97f4a7c15ull;

	return (uint32_t)(h >> 32) ^ (uint32_t)(h >> 51);
}

/* The bucket of that object, or the free one where it belongs. */
static uint32_t find_bucket(const struct scheduler *s, enum sched_class class,
			    uint64_t addr)
{
	uint32_t mask = s->nr_buckets - 1;
	uint32_t i = hash(class, addr) & mask;

	while (s->bucket[i]) {
		const struct sched_object *o = &s->object[s->bucket[i] - 1];

		if (o->addr == addr && o->class == class)
			break;
		i = (i + 1) & mask;
	}
	return i;
}

static void grow(struct scheduler *s)
{
	for (uint32_t i = 0; i < s->nr_buckets; i++)
		s->bucket[i] = 0;
	s->nr_buckets *= 2;
	for (uint32_t id = 1; id <= s->nr_objects; id++) {
		const struct sched_object *o = &s->object[id - 1];

		s->bucket[find_bucket(s, o->class, o->addr)] = id;
	}
}

uint32_t scheduler_object_find(const struct scheduler *s,
			       enum sched_class class, uint64_t addr)
{
	return s->bucket[find_bucket(s, class, addr)];
}

uint32_t scheduler_object_id(struct scheduler *s, enum sched_class class,
			     uint64_t addr, uint64_t pc)
{
	uint32_t i = find_bucket(s, class, addr);
	struct sched_object *o;

	if (s->bucket[i])
		return s->bucket[i];
	if (s->nr_objects >= SCHED_MAX_OBJECTS)
		return 0;
	if (s->nr_objects >= s->nr_buckets / 2) {
		grow(s);
		i = find_bucket(s, class, addr);
	}
	o = &s->object[s->nr_objects++];
	o->addr = addr;
	o->first_pc = pc;
	o->class = class;
	s->bucket[i] = s->nr_objects;
	return s->nr_objects;
}

/*
 * Two things outlive it: the queue, because its tasks still wait (it was wrong
 * to initialise it anew, but they do not notice), and the generation, because
 * tasks may not have left an opened barrier yet when it gets its next use.
 */
void scheduler_object_reset(struct scheduler *s, uint32_t id)
{
	struct sched_object *o = scheduler_object(s, id);

	scheduler_changed(s);
	o->flags = 0;
	o->nr_holders = 0;
	o->owner = 0;
	o->count = 0;
	o->limit = 0;
}

/* ---------------------------------------------------------------- locks */

void scheduler_acquire(struct scheduler *s, uint32_t id, uint32_t t)
{
	struct sched_object *o = scheduler_object(s, id);

	scheduler_changed(s);
	if (o->class == SCHED_CLASS_RWLOCK) {
		o->count = 0;
		o->nr_holders = 0;
	} else if (o->owner == t + 1) {
		o->count++;
	} else {
		o->count = 1;
	}
	o->owner = t + 1;
}

void scheduler_release(struct scheduler *s, uint32_t id)
{
	struct sched_object *o = scheduler_object(s, id);

	scheduler_changed(s);
	if (!o->owner)
		return;
	if (o->class != SCHED_CLASS_RWLOCK && --o->count)
		return;
	o->owner = 0;
}

void scheduler_acquire_shared(struct scheduler *s, uint32_t id, uint32_t t)
{
	struct sched_object *o = scheduler_object(s, id);

	scheduler_changed(s);
	o->owner = 0;
	o->count++;
	if (o->nr_holders < SCHED_MAX_HOLDERS)
		o->holder[o->nr_holders++] = (uint16_t)t;
}

void scheduler_release_shared(struct scheduler *s, uint32_t id, uint32_t t)
{
	struct sched_object *o = scheduler_object(s, id);

	scheduler_changed(s);
	if (!o->count)
		return;
	o->count--;
	for (uint32_t i = 0; i < o->nr_holders; i++) {
		if (o->holder[i] == t) {
			o->holder[i] = o->holder[--o->nr_holders];
			break;
		}
	}
	/* Released by one that was no holder: somebody has to go. */
	if (o->nr_holders > o->count)
		o->nr_holders = (uint16_t)o->count;
}

bool scheduler_barrier_arrive(struct scheduler *s, uint32_t id, uint32_t t)
{
	struct sched_object *o = scheduler_object(s, id);

	scheduler_changed(s);
	o->count++;
	if (o->count >= o->limit) {
		o->count = 0;
		o->generation++;
		return true;
	}
	s->task[t].wait_generation = o->generation;
	return false;
}

/* --------------------------------------------------------------- queues */

static void append(struct scheduler *s, uint32_t id, struct sched_task *t)
{
	struct sched_object *o = scheduler_object(s, id);

	t->wait_object = id;
	t->next_waiter = 0;
	if (o->wait_tail)
		s->task[o->wait_tail - 1].next_waiter = t->id + 1;
	else
		o->wait_head = t->id + 1;
	o->wait_tail = t->id + 1;
	o->nr_waiters++;
}

/* Take `t` out, which comes after `before` (task id + 1; 0: it is first). */
static void unlink_after(struct scheduler *s, struct sched_object *o,
			 uint32_t before, struct sched_task *t)
{
	if (before)
		s->task[before - 1].next_waiter = t->next_waiter;
	else
		o->wait_head = t->next_waiter;
	if (o->wait_tail == t->id + 1)
		o->wait_tail = before;
	o->nr_waiters--;
	t->wait_object = 0;
	t->next_waiter = 0;
}

void scheduler_wait(struct scheduler *s, uint32_t id, uint32_t t,
		    uint32_t mask)
{
	struct sched_task *task = &s->task[t];

	scheduler_changed(s);
	scheduler_unwait(s, t, SCHED_WAKE_NONE);
	task->wake = SCHED_WAKE_NONE;
	task->wait_mask = mask;
	append(s, id, task);
}

void scheduler_unwait(struct scheduler *s, uint32_t t, enum sched_wake why)
{
	struct sched_task *task = &s->task[t];
	struct sched_object *o;
	uint32_t before = 0;

	scheduler_changed(s);
	if (!task->wait_object)
		return;
	o = scheduler_object(s, task->wait_object);
	for (uint32_t w = o->wait_head; w != t + 1;
	     w = s->task[w - 1].next_waiter) {
		SCHED_ASSERT(w);
		before = w;
	}
	unlink_after(s, o, before, task);
	task->wake = why;
}

static void wake_in_order(struct scheduler *s, uint32_t id, uint32_t max,
			  uint32_t mask, uint32_t *nr_woken)
{
	struct sched_object *o = scheduler_object(s, id);
	uint32_t before = 0;
	uint32_t w = o->wait_head;

	while (w && *nr_woken < max) {
		struct sched_task *t = &s->task[w - 1];
		uint32_t next = t->next_waiter;

		if (t->wait_mask & mask) {
			unlink_after(s, o, before, t);
			t->wake = SCHED_WAKE_WOKEN;
			(*nr_woken)++;
		} else {
			before = w;
		}
		w = next;
	}
}

/* The waiters that could be woken, as candidates in ascending order. */
static uint32_t collect_waiters(struct scheduler *s, uint32_t id,
				uint32_t mask)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < s->nr_live; i++) {
		const struct sched_task *t = &s->task[s->live[i]];

		if (t->wait_object == id && (t->wait_mask & mask))
			s->candidate[nr++] = t->op;
	}
	return nr;
}

enum sched_result scheduler_wake(struct scheduler *s,
				 const struct scheduler_env *env, uint32_t id,
				 uint32_t max, uint32_t mask,
				 uint32_t *nr_woken)
{
	*nr_woken = 0;
	while (s->config.wake_any && *nr_woken < max &&
	       scheduler_object(s, id)->nr_waiters > 1) {
		uint32_t nr = collect_waiters(s, id, mask);
		enum sched_result result;
		uint32_t chosen;

	scheduler_changed(s);
		/* When all of them are woken there is no choice. */
		if (nr <= max - *nr_woken)
			break;
		result = scheduler__choose_waiter(s, env, id, nr, &chosen);
		if (result != SCHED_RUN)
			return result;
		scheduler_unwait(s, chosen, SCHED_WAKE_WOKEN);
		(*nr_woken)++;
	}
	wake_in_order(s, id, max, mask, nr_woken);
	return SCHED_RUN;
}

uint32_t scheduler_requeue(struct scheduler *s, uint32_t from, uint32_t to,
			   uint32_t max)
{
	struct sched_object *o = scheduler_object(s, from);
	uint32_t nr = o->nr_waiters < max ? o->nr_waiters : max;

	scheduler_changed(s);
	for (uint32_t i = 0; i < nr; i++) {
		struct sched_task *t = &s->task[o->wait_head - 1];

		unlink_after(s, o, 0, t);
		append(s, to, t);
	}
	return nr;
}
