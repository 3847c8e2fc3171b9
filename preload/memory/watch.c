/* SPDX-License-Identifier: MIT */
/*
 * watch.c - stop a replay at one of the two accesses of a race.
 *
 * When a race shows, its earlier access is long over, and its task is somewhere
 * else. But a run can be had again: the tool replays it to count how many
 * accesses like the earlier one come before, and once more to stop at the last
 * of them.
 */
#include "preload/memory/access.h"

bool watch_is_on;

void watch_start_run(void)
{
	struct control *c = runtime_control;

	watch_is_on = c->config.flags & CONTROL_F_REPLAY &&
		      c->watch.mode != CONTROL_WATCH_OFF;
	c->watch.nr_seen = 0;
}

static _Noreturn void stop(uint32_t site)
{
	values_drop();
	core_self()->uses_trap_frame = 1;	/* its registers are on show */
	runtime_end(CONTROL_VERDICT_WATCH, 0, 0,
		    runtime_control->access[site].addr, "");
}

void watch_access(uint64_t addr, uint32_t size, uint32_t site)
{
	struct control_watch *w = &runtime_control->watch;

	if (site != w->other_site || runtime_self() != w->other_task ||
	    addr >= w->addr + w->size || addr + size <= w->addr)
		return;
	w->nr_seen++;
	if (w->mode == CONTROL_WATCH_ACCESS && w->nr_seen == w->stop_at)
		stop(site);
}

void watch_race(const struct races_found *f)
{
	struct control_watch *w = &runtime_control->watch;

	if (w->mode != CONTROL_WATCH_RACE || f->site != w->site ||
	    f->other_site != w->other_site || f->task != w->task ||
	    f->other_task != w->other_task)
		return;
	w->addr = f->addr;
	w->size = f->size;
	stop(f->site);
}
