/* SPDX-License-Identifier: MIT */
/*
 * replay.c - repeat a recorded run: at each step the choice that was made then.
 *
 * Internal; the tool fills the state, see strategy_replay_fill().
 */
#include <errno.h>

#include "strategies/strategies.h"
#include "strategies/replay.h"
#include "strategies/internal.h"

static size_t replay_bytes(const struct explore_setup *setup)
{
	return sizeof(struct strategy_replay_state) +
	       setup->max_steps *
		       sizeof(((struct strategy_replay_state *)0)->step[0]);
}

static void replay_init(void *state, const struct explore_setup *setup)
{
	struct strategy_replay_state *s = state;

	s->nr = 0;
	s->capacity = setup->max_steps;
}

static int replay_begin(void *state, uint64_t run)
{
	(void)state;
	(void)run;
	return 1;
}

/* Candidates are ascending in their tasks. */
static uint32_t find_task(const struct explore_point *point, uint32_t task)
{
	uint32_t low = 0, high = point->nr;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (point->candidate[middle].task < task)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < point->nr && point->candidate[low].task == task)
		return low;
	return EXPLORE_PICK_DIVERGED;
}

static struct explore_decision replay_pick(void *state,
					   const struct explore_point *point)
{
	const struct strategy_replay_state *s = state;
	struct explore_decision d;
	uint32_t chosen;

	if (point->step >= s->nr)
		return strategy__answer(EXPLORE_PICK_DIVERGED);
	chosen = s->step[point->step].chosen;
	if (point->kind == EXPLORE_POINT_VALUE)
		return strategy__answer(chosen < point->nr ?
					chosen : EXPLORE_PICK_DIVERGED);
	d = strategy__answer(find_task(point, chosen));
	d.ticks = s->step[point->step].ticks;
	return d;
}

int strategy_replay_fill(void *state, const uint32_t *chosen,
			 const uint64_t *ticks, size_t stride, uint64_t nr)
{
	struct strategy_replay_state *s = state;
	const char *task = (const char *)chosen, *slice = (const char *)ticks;

	if (nr > s->capacity)
		return -E2BIG;
	for (uint64_t i = 0; i < nr; i++) {
		s->step[i].chosen = *(const uint32_t *)(task + i * stride);
		s->step[i].ticks = *(const uint64_t *)(slice + i * stride);
	}
	s->nr = nr;
	return 0;
}

const struct explore_strategy strategy_replay = {
	.abi = EXPLORE_STRATEGY_ABI,
	.name = "replay",
	.summary = "repeat a recorded run",
	.state_bytes = replay_bytes,
	.init = replay_init,
	.begin = replay_begin,
	.pick = replay_pick,
};
