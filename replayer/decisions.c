/* SPDX-License-Identifier: MIT */
/*
 * decisions.c - the payload of `decisions` to events and objects; the exact
 * reverse of recorder/decisions.c.
 */
#include "replayer/cursor.h"

#include <errno.h>
#include <stdlib.h>

static void take_bytes(struct cursor *c, struct sched_event *e, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++)
		e[i].point = take_byte(c);
	for (uint64_t i = 0; i < nr; i++)
		e[i].kind = take_byte(c);
	for (uint64_t i = 0; i < nr; i++)
		e[i].flags = take_byte(c);
	for (uint64_t i = 0; i < nr; i++)
		e[i].reserved = take_byte(c);
}

static void take_answers(struct cursor *c, struct sched_event *e, uint64_t nr)
{
	uint64_t task = 0;

	for (uint64_t i = 0; i < nr; i++) {
		task += format_unzigzag(take_varint(c));
		e[i].task = (uint16_t)fit(c, task, UINT16_MAX);
	}
	for (uint64_t i = 0; i < nr; i++)
		e[i].nr = (uint16_t)fit(c, take_varint(c), UINT16_MAX);
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t v = format_unzigzag(take_varint(c)) + e[i].task;

		e[i].chosen = (uint32_t)fit(c, v, UINT32_MAX);
	}
}

/* The module numbers wait in `object`, which comes later in the payload. */
static void take_places(struct cursor *c, const struct trace *t)
{
	struct sched_event *e = t->event;

	for (uint64_t i = 0; i < t->nr_events; i++)
		e[i].object = (uint32_t)fit(c, take_varint(c), t->nr_modules);
	for (uint64_t i = 0; i < t->nr_events; i++) {
		uint32_t module = e[i].object;

		e[i].pc = take_varint(c);
		if (module && module <= t->nr_modules)
			e[i].pc += t->module[module - 1].bias;
	}
}

static bool gives_way(const struct sched_event *e)
{
	return e->kind == EXPLORE_OP_YIELD || e->kind == EXPLORE_OP_SLEEP ||
	       e->kind == EXPLORE_OP_SPIN || e->kind == EXPLORE_OP_TICK;
}

/* Version 1 had no ticks, and did not say who gives way by itself. */
static void take_ticks(struct cursor *c, uint64_t version,
		       struct sched_event *e, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++)
		if (version > 1)
			e[i].ticks = take_varint(c);
		else if (gives_way(&e[i]))
			e[i].flags |= SCHED_EVENT_YIELDS;
}

static void take_rest(struct cursor *c, uint64_t version,
		      struct sched_event *e, uint64_t nr)
{
	uint64_t now = 0;

	for (uint64_t i = 0; i < nr; i++)
		e[i].object = (uint32_t)fit(c, take_varint(c), UINT32_MAX);
	for (uint64_t i = 0; i < nr; i++)
		e[i].object2 = (uint32_t)fit(c, take_varint(c), UINT32_MAX);
	for (uint64_t i = 0; i < nr; i++) {
		now += format_unzigzag(take_varint(c));
		e[i].now_ns = now;
	}
	take_ticks(c, version, e, nr);
	for (uint64_t i = 0; i < nr; i++) {
		if (c->end - c->p < 4) {
			c->has_failed = true;
			return;
		}
		e[i].digest = (uint32_t)format_get(c->p, 4);
		c->p += 4;
	}
}

/* Five bytes an object at least, so the count cannot claim too much. */
static int take_objects(struct cursor *c, struct trace *t)
{
	uint64_t nr = fit(c, take_varint(c), SCHED_MAX_OBJECTS);

	if (c->has_failed || nr > (uint64_t)(c->end - c->p) / 5)
		return TRACE_E_CORRUPT;
	if (!nr)
		return 0;
	t->object = calloc(nr, sizeof(*t->object));
	if (!t->object)
		return -ENOMEM;
	t->nr_objects = (uint32_t)nr;
	for (uint64_t i = 0; i < nr; i++) {
		t->object[i].class = take_byte(c);
		t->object[i].addr = take_addr(c, t);
		t->object[i].first_pc = take_addr(c, t);
	}
	return 0;
}

int replayer__decode_decisions(struct trace *t, uint64_t version,
			       const uint8_t *raw, size_t bytes)
{
	struct cursor c = { .p = raw, .end = raw + bytes };
	int ret;

	take_bytes(&c, t->event, t->nr_events);
	take_answers(&c, t->event, t->nr_events);
	take_places(&c, t);
	take_rest(&c, version, t->event, t->nr_events);
	ret = take_objects(&c, t);
	if (!ret && (c.has_failed || c.p != c.end))
		ret = TRACE_E_CORRUPT;
	return ret;
}
