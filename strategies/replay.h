/* SPDX-License-Identifier: MIT */
/*
 * replay.h - a recorded list of choices, as a strategy.
 */
#ifndef STRATEGIES_REPLAY_H
#define STRATEGIES_REPLAY_H

#include "strategies/strategies.h"

/* Internal: neither found nor listed by the functions below. */
extern const struct explore_strategy strategy_replay;

/*
 * Fill the state, after init(), from `nr` numbers each that lie `stride` bytes
 * apart, beginning at `chosen` and at `ticks` (so they can be fields of a log's
 * entries). Returns 0, or -E2BIG when the state has no room for them.
 */
int strategy_replay_fill(void *state, const uint32_t *chosen,
			 const uint64_t *ticks, size_t stride, uint64_t nr);

#endif /* STRATEGIES_REPLAY_H */
