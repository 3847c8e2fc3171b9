/* SPDX-License-Identifier: MIT */
/*
 * place.c - where a run failed, as one number.
 */
#include "explorer/target/place.h"

static uint64_t mix(uint64_t h, uint64_t value)
{
	h = (h ^ value) * 0x9e3779b97f4a7c15ull;
	return h ^ (h >> 29);
}

/* A code address, by module and offset: the same under ASLR. */
static uint64_t code_place(const struct control *c, uint64_t pc)
{
	for (uint32_t i = 0; i < c->nr_modules && i < CONTROL_MAX_MODULES; i++)
		if (pc >= c->module[i].start && pc < c->module[i].end)
			return mix(i + 1, pc - c->module[i].bias);
	return 0;
}

/* Where everybody is stuck, whatever the tasks' numbers are. */
static uint64_t blocked_place(const struct control *c)
{
	const struct control_verdict *v = &c->verdict;
	const struct scheduler *s = &c->scheduler;
	uint32_t nr = v->nr_cycle ? v->nr_cycle : s->nr_live;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < nr && i < SCHED_MAX_TASKS; i++) {
		uint32_t id = s->live[i];

		if (v->nr_cycle)
			id = v->cycle[i % 16];
		if (id < SCHED_MAX_TASKS)
			sum += mix(code_place(c, s->task[id].pc),
				   s->task[id].op.kind);
	}
	return sum;
}

uint64_t place_of_failure(const struct control *c)
{
	const struct control_verdict *v = &c->verdict;
	uint64_t h = mix(v->kind, (uint32_t)v->code);

	switch (v->kind) {
	case CONTROL_VERDICT_DEADLOCK:
	case CONTROL_VERDICT_PARTIAL_DEADLOCK:
		return mix(h, blocked_place(c));
	case CONTROL_VERDICT_EXIT:
	case CONTROL_VERDICT_STEP_LIMIT:
	case CONTROL_VERDICT_LIVELOCK:
	case CONTROL_VERDICT_TIMEOUT:
		return h;	/* where it was cut off means nothing */
	default:
		return mix(h, code_place(c, v->pc));
	}
}
