/* SPDX-License-Identifier: MIT */
/*
 * races_firm.c - the order that no atomic access had a part in.
 *
 * Which of two atomic accesses comes first is up to the schedule, and so is all
 * that is ordered by it. What locks, forks, joins and their kin order is firm.
 * A conflict that is ordered, but not firmly, may show the other way round in
 * another run.
 *
 * Tasks and objects that know nothing by atomics have no clock of their own
 * for this (0): theirs says it. So programs without atomics pay nothing.
 */
#include "scheduler/races/races_internal.h"
#include "scheduler/races/races_firm.h"

static uint32_t copy(struct races *r, uint32_t clock)
{
	uint32_t firm = races__clock_new(r);

	if (firm)
		races__clock_assign(r, firm, clock);
	return firm;
}

static bool has_news(const struct races *r, uint32_t clock, uint32_t from)
{
	for (uint32_t t = 0; t < r->nr_tasks; t++)
		if (races__clock_get(r, from, t) >
		    races__clock_get(r, clock, t))
			return true;
	return false;
}

void races__firm_part(struct races *r, uint32_t t, uint32_t from)
{
	struct races_task *task = &r->task[t];

	if (task->firm || !has_news(r, task->clock, from))
		return;
	task->firm = copy(r, task->clock);
	r->has_firm = 1;
}

void races__firm_join(struct races *r, uint32_t t, uint32_t clock,
		      uint32_t firm)
{
	struct races_task *task = &r->task[t];

	if (!task->firm && firm)
		task->firm = copy(r, task->clock);
	if (task->firm)
		races__clock_join(r, task->firm, firm ? firm : clock);
}

void races__firm_release(struct races *r, uint32_t t, uint32_t object,
			 bool is_merged)
{
	const struct races_task *task = &r->task[t];
	uint32_t *firm = &r->object_firm[object];

	if (!task->firm && !is_merged) {
		races__clock_free(r, *firm);
		*firm = 0;
		return;
	}
	if (!*firm && task->firm)
		*firm = copy(r, r->object_clock[object]);
	if (!*firm)
		return;
	if (is_merged)
		races__clock_join(r, *firm,
				  task->firm ? task->firm : task->clock);
	else
		races__clock_assign(r, *firm, task->firm);
}
