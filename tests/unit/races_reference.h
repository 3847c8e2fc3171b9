/* SPDX-License-Identifier: MIT */
/*
 * races_reference.h - the race detector once more, as simple as can be.
 *
 * Every access is kept, with the whole vector clock of its task, which counts
 * each event instead of each release; every byte has its own clock. For small
 * programs only: an access takes time in proportion to all before it.
 */
#ifndef TESTS_UNIT_RACES_REFERENCE_H
#define TESTS_UNIT_RACES_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/races/races.h"

#define REF_TASKS 40u
#define REF_OBJECTS 10u
#define REF_BYTES 512u
#define REF_MAX 2048u

struct ref_clock {
	uint32_t at[REF_TASKS];
};

/* The part of an access in one granule. */
struct ref_event {
	uint32_t task, site;
	uint32_t first, size;
	uint8_t alive;		/* its bytes, bit 0 for `first` */
	bool is_write;
	struct ref_clock clock;
};

/* Who used an atomic byte. */
struct ref_use {
	bool is_used, is_written;
	uint32_t last;		/* the task's own clock then */
};

struct ref {
	struct ref_clock task[REF_TASKS];
	uint32_t parent[REF_TASKS];	/* id + 1 */
	uint32_t forked[REF_TASKS];	/* parent's own clock then */
	struct ref_clock object[REF_OBJECTS];
	bool is_atomic[REF_BYTES];
	struct ref_clock byte[REF_BYTES];
	struct ref_use use[REF_BYTES][REF_TASKS];
	struct ref_event event[REF_MAX];
	uint32_t nr_events;
	bool has_race, has_order;	/* of the last access */
};

static inline void ref_join_clock(struct ref_clock *into,
				  const struct ref_clock *from)
{
	for (uint32_t i = 0; i < REF_TASKS; i++)
		if (into->at[i] < from->at[i])
			into->at[i] = from->at[i];
}

static inline void ref_fork(struct ref *ref, uint32_t parent, uint32_t child)
{
	ref_join_clock(&ref->task[child], &ref->task[parent]);
	ref->parent[child] = parent + 1;
	ref->forked[child] = ref->task[parent].at[parent];
}

static inline void ref_join(struct ref *ref, uint32_t task, uint32_t ended)
{
	ref_join_clock(&ref->task[task], &ref->task[ended]);
}

static inline void ref_acquire(struct ref *ref, uint32_t t, uint32_t object)
{
	ref_join_clock(&ref->task[t], &ref->object[object]);
}

static inline void ref_release(struct ref *ref, uint32_t t, uint32_t object)
{
	ref->object[object] = ref->task[t];
}

static inline void ref_merge(struct ref *ref, uint32_t t, uint32_t object)
{
	ref_join_clock(&ref->object[object], &ref->task[t]);
}

/* The event has that byte and it still counts. */
static inline bool ref_covers(const struct ref_event *e, uint32_t byte)
{
	return byte >= e->first && byte < e->first + e->size &&
	       (e->alive >> (byte - e->first) & 1);
}

/* `clock` is that of task t, in an event after `e`. */
static inline bool ref_is_unordered(const struct ref_clock *clock, uint32_t t,
				    const struct ref_event *e)
{
	return e->task != t && clock->at[e->task] < e->clock.at[e->task];
}

static inline void ref_kill_byte(struct ref *ref, uint32_t byte)
{
	for (uint32_t i = 0; i < ref->nr_events; i++)
		if (ref_covers(&ref->event[i], byte))
			ref->event[i].alive &=
				(uint8_t)~(1u << (byte - ref->event[i].first));
}

static inline void ref_forget(struct ref *ref, uint32_t first, uint32_t size)
{
	for (uint32_t b = first; b < first + size; b++) {
		ref_kill_byte(ref, b);
		ref->is_atomic[b] = false;
		memset(&ref->byte[b], 0, sizeof(ref->byte[b]));
		memset(ref->use[b], 0, sizeof(ref->use[b]));
	}
}

static inline void ref_make_atomic(struct ref *ref, uint32_t byte)
{
	ref->is_atomic[byte] = true;
	for (uint32_t i = 0; i < ref->nr_events; i++) {
		struct ref_event *e = &ref->event[i];
		struct ref_use *use = &ref->use[byte][e->task];

		if (!ref_covers(e, byte))
			continue;
		use->is_used = true;
		use->is_written |= e->is_write;
		use->last = e->clock.at[e->task];
		if (e->is_write)
			ref_join_clock(&ref->byte[byte], &e->clock);
	}
	ref_kill_byte(ref, byte);
}

static inline bool ref_is_before_birth(const struct ref *ref, uint32_t t,
				       uint32_t user, uint32_t last)
{
	for (; ref->parent[t]; t = ref->parent[t] - 1)
		if (ref->parent[t] - 1 == user)
			return last <= ref->forked[t];
	return false;
}

static inline void ref_use_byte(struct ref *ref, uint32_t t, uint32_t byte,
				enum races_access how)
{
	struct ref_use *mine = &ref->use[byte][t];

	for (uint32_t u = 0; u < REF_TASKS; u++) {
		const struct ref_use *use = &ref->use[byte][u];

		if (u != t && use->is_used &&
		    (use->is_written || how != RACES_READ) &&
		    !ref_is_before_birth(ref, t, u, use->last))
			ref->has_order = true;
	}
	mine->is_used = true;
	mine->is_written |= how != RACES_READ;
	mine->last = ref->task[t].at[t];
	if (how != RACES_WRITE)
		ref_join_clock(&ref->task[t], &ref->byte[byte]);
}

static inline void ref_check_byte(struct ref *ref, uint32_t t, uint32_t byte,
				  bool is_write)
{
	for (uint32_t i = 0; i < ref->nr_events; i++) {
		const struct ref_event *e = &ref->event[i];

		if (ref_covers(e, byte) && (e->is_write || is_write) &&
		    ref_is_unordered(&ref->task[t], t, e))
			ref->has_race = true;
	}
}

/* All bytes are in one granule. */
static inline void ref_access_granule(struct ref *ref, uint32_t t,
				      uint32_t first, uint32_t size,
				      enum races_access how, uint32_t site)
{
	struct ref_event *e = &ref->event[ref->nr_events];
	uint32_t end = first + size, b;

	ref->task[t].at[t]++;
	for (b = first; b < end; b++)
		if (how == RACES_ATOMIC && !ref->is_atomic[b])
			ref_make_atomic(ref, b);
	for (b = first; b < end; b++)
		if (ref->is_atomic[b])
			ref_use_byte(ref, t, b, how);
	*e = (struct ref_event){ .task = t, .site = site, .first = first,
				 .size = size, .is_write = how != RACES_READ };
	for (b = first; b < end; b++) {
		if (ref->is_atomic[b])
			continue;
		ref_check_byte(ref, t, b, e->is_write);
		e->alive |= (uint8_t)(1u << (b - first));
	}
	e->clock = ref->task[t];
	ref->nr_events++;
	for (b = first; b < end; b++)
		if (ref->is_atomic[b] && how != RACES_READ)
			ref_join_clock(&ref->byte[b], &ref->task[t]);
}

static inline void ref_access(struct ref *ref, uint32_t t, uint32_t first,
			      uint32_t size, enum races_access how,
			      uint32_t site)
{
	uint32_t end = first + size, next;

	ref->has_race = ref->has_order = false;
	for (; first < end; first = next) {
		next = (first | 7) + 1;
		if (next > end)
			next = end;
		ref_access_granule(ref, t, first, next - first, how, site);
	}
}

/* Whether the last access, by `t`, has a race of that kind on that byte. */
static inline bool ref_has_pair(const struct ref *ref, uint32_t t,
				uint32_t byte, uint32_t other, uint32_t site,
				bool other_is_write)
{
	const struct ref_event *mine = &ref->event[ref->nr_events - 1];

	while (mine->task != t || !ref_covers(mine, byte))
		mine--;
	for (uint32_t i = 0; i < ref->nr_events; i++) {
		const struct ref_event *e = &ref->event[i];

		if (ref_covers(e, byte) && e->task == other &&
		    e->site == site && e->is_write == other_is_write &&
		    ref_is_unordered(&mine->clock, t, e))
			return true;
	}
	return false;
}

#endif /* TESTS_UNIT_RACES_REFERENCE_H */
