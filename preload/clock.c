/* SPDX-License-Identifier: MIT */
/*
 * clock.c - slices: their start and end.
 */
#include "preload/clock.h"

uint64_t clock_left;
bool clock_is_over;

void clock_start_slice(uint64_t ticks)
{
	clock_left = ticks;
	clock_is_over = false;
}

void clock_end_slice(uint64_t pc)
{
	struct scheduler *s = runtime_scheduler();
	const struct runtime_op op = { .kind = EXPLORE_OP_TICK, .pc = pc };

	/* Slices of different lengths can end at one place: in a loop. */
	scheduler_note_result(s, s->current, s->ticks);
	core_point(&op);
}
