/* SPDX-License-Identifier: MIT */
/*
 * region.c - is what a run left in the control region what the runtime wrote?
 */
#include "explorer/target/region.h"

#include <string.h>

void region_note(struct region *r, const struct control *c,
		 uint32_t nr_modules)
{
	r->config = c->config;
	r->nr_modules = nr_modules;
	r->nr_areas = c->nr_areas;
	r->nr_access = c->nr_access;
}

static bool is_text(const char *text, size_t bytes)
{
	return memchr(text, '\0', bytes) != NULL;
}

static bool is_header_sane(const struct region *r, const struct control *c)
{
	return c->magic == CONTROL_MAGIC && c->version == CONTROL_VERSION &&
	       c->bytes_low == (uint32_t)sizeof(*c) &&
	       !memcmp(&c->config, &r->config, sizeof(r->config));
}

static bool is_verdict_sane(const struct control_verdict *v)
{
	if (v->kind > CONTROL_VERDICT_WATCH || v->task >= SCHED_MAX_TASKS ||
	    v->object > SCHED_MAX_OBJECTS || v->step > CONTROL_MAX_STEPS ||
	    v->nr_cycle > sizeof(v->cycle) / sizeof(v->cycle[0]) ||
	    !is_text(v->message, sizeof(v->message)))
		return false;
	for (uint32_t i = 0; i < v->nr_cycle; i++)
		if (v->cycle[i] >= SCHED_MAX_TASKS)
			return false;
	return true;
}

static bool are_modules_sane(const struct region *r, const struct control *c)
{
	if (c->nr_modules < r->nr_modules ||
	    c->nr_modules > CONTROL_MAX_MODULES)
		return false;
	for (uint32_t i = 0; i < c->nr_modules; i++)
		if (!is_text(c->module[i].path, sizeof(c->module[i].path)))
			return false;
	return true;
}

static bool are_accesses_sane(const struct region *r, const struct control *c)
{
	if (c->nr_areas != r->nr_areas || c->nr_access != r->nr_access ||
	    c->nr_calls > CONTROL_MAX_CALLS || c->nr_races > CONTROL_MAX_RACES)
		return false;
	for (uint32_t i = 0; i < c->nr_races; i++)
		if (!control_is_site(c, c->race[i].site) ||
		    !control_is_site(c, c->race[i].other_site) ||
		    c->race[i].task >= SCHED_MAX_TASKS ||
		    c->race[i].other_task >= SCHED_MAX_TASKS)
			return false;
	return true;
}

static bool are_counts_sane(const struct control *c)
{
	const struct scheduler *s = &c->scheduler;

	return s->step <= CONTROL_MAX_STEPS && s->nr_tasks <= SCHED_MAX_TASKS &&
	       s->nr_live <= SCHED_MAX_TASKS && s->current < SCHED_MAX_TASKS &&
	       s->max_live <= SCHED_MAX_TASKS &&
	       s->nr_objects <= SCHED_MAX_OBJECTS &&
	       c->nr_sites <= CONTROL_MAX_SITES &&
	       c->nr_patched <= CONTROL_MAX_SITES &&
	       c->nr_values <= CONTROL_MAX_VALUES &&
	       c->input_bytes <= CONTROL_INPUT_BYTES;
}

static bool is_model_sane(const struct scheduler *s)
{
	for (uint32_t i = 0; i < s->nr_tasks; i++)
		if (s->task[i].op.object > SCHED_MAX_OBJECTS ||
		    s->task[i].op.object2 > SCHED_MAX_OBJECTS)
			return false;
	for (uint32_t i = 0; i < s->nr_objects; i++)
		if (s->object[i].owner > SCHED_MAX_TASKS ||
		    s->object[i].wait_head > SCHED_MAX_TASKS)
			return false;
	return true;
}

static bool is_log_sane(const struct control *c)
{
	const struct scheduler *s = &c->scheduler;

	for (uint64_t i = 0; i < s->step; i++) {
		const struct sched_event *e = &c->event[i];

		if (e->task >= s->nr_tasks || e->kind >= EXPLORE_OP_NR ||
		    e->object > s->nr_objects || e->object2 > s->nr_objects)
			return false;
	}
	return true;
}

const char *region_check(const struct region *r, const struct control *c)
{
	if (!is_header_sane(r, c))
		return "its configuration";
	if (!is_verdict_sane(&c->verdict))
		return "the verdict";
	if (!are_counts_sane(c))
		return "counts";
	if (!are_modules_sane(r, c))
		return "modules";
	if (!are_accesses_sane(r, c))
		return "memory accesses";
	if (!is_model_sane(&c->scheduler))
		return "tasks and objects";
	return is_log_sane(c) ? NULL : "the log";
}

void region_reset(const struct region *r, struct control *c)
{
	struct scheduler *s = &c->scheduler;

	c->config = r->config;
	c->nr_areas = r->nr_areas;
	c->nr_access = r->nr_access;
	c->nr_modules = r->nr_modules;
	for (uint32_t i = 0; i < c->nr_modules; i++)
		c->module[i].path[sizeof(c->module[i].path) - 1] = '\0';
	c->nr_sites = c->nr_patched = 0;
	c->nr_races = c->nr_calls = 0;
	c->nr_values = c->nr_notes = c->input_bytes = 0;
	memset(&c->counters, 0, sizeof(c->counters));
	memset(&c->verdict, 0, sizeof(c->verdict));
	s->step = 0;
	s->nr_tasks = s->nr_live = s->max_live = s->current = 0;
	s->nr_objects = 0;
}
