/* SPDX-License-Identifier: MIT */
/*
 * races_sync.h - what operations order.
 */
#ifndef SCHEDULER_RACES_RACES_SYNC_H
#define SCHEDULER_RACES_RACES_SYNC_H

#include "scheduler/races/races_internal.h"

/* Bytes of the granule that are known as atomic. */
uint8_t races__sync_mask(const struct races *r, const struct races_granule *g);

/*
 * From now on these bytes are atomic. Cells with plain accesses become their
 * users. Fails, and goes blind, when there is no line left.
 */
bool races__sync_make(struct races *r, struct races_granule *g, uint8_t mask);

/* These bytes have no history any more. */
void races__sync_trim(struct races *r, struct races_granule *g, uint8_t mask);

/*
 * The part of an access to bytes known as atomic, in two halves: what it
 * learns, and what it tells others. In between, the same access may touch
 * plain bytes. `c` is the access; returns whether there is a conflict, then
 * *other is the most recent one.
 */
bool races__sync_enter(struct races *r, struct races_granule *g,
		       const struct races_cell *c, enum races_access how,
		       struct races_cell *other);
void races__sync_leave(struct races *r, struct races_granule *g,
		       const struct races_cell *c);

#endif /* SCHEDULER_RACES_RACES_SYNC_H */
