/* SPDX-License-Identifier: MIT */
/*
 * approach.c - count to target.
 */
#include "preload/clock/approach.h"

static enum approach_what go_on(struct approach *a)
{
	if (a->target - a->count <= a->margin)
		return a->knows_place ? APPROACH_BREAK : APPROACH_STEP;
	a->period = a->target - a->count - a->margin;
	return APPROACH_RUN;
}

enum approach_what approach_begin(struct approach *a, uint64_t target,
				  uint64_t margin, bool knows_place)
{
	*a = (struct approach){
		.target = target,
		.margin = margin,
		.knows_place = knows_place,
	};
	return go_on(a);
}

enum approach_what approach_overflow(struct approach *a, uint64_t count,
				     bool is_there)
{
	a->count = count;
	if (count < a->target)
		return go_on(a);
	if (a->knows_place)
		return count == a->target && is_there ? APPROACH_ARRIVED :
							APPROACH_MISSED;
	/* Where the tick was is behind us: take the next one. */
	a->target = count + 1;
	return APPROACH_STEP;
}

enum approach_what approach_stepped(struct approach *a, bool is_tick)
{
	a->count += is_tick;
	return a->count == a->target ? APPROACH_ARRIVED : APPROACH_STEP;
}

enum approach_what approach_passed(struct approach *a, uint64_t ticks)
{
	a->count += ticks;
	if (a->count < a->target)
		return APPROACH_STEP;
	if (a->knows_place && a->count != a->target)
		return APPROACH_MISSED;
	a->target = a->count;
	return APPROACH_ARRIVED;
}

enum approach_what approach_reached(struct approach *a, uint64_t count)
{
	a->count = count;
	if (count < a->target)
		return APPROACH_BREAK;
	return count == a->target ? APPROACH_ARRIVED : APPROACH_MISSED;
}
