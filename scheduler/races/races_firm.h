/* SPDX-License-Identifier: MIT */
/*
 * races_firm.h - the order that no atomic access had a part in.
 */
#ifndef SCHEDULER_RACES_RACES_FIRM_H
#define SCHEDULER_RACES_RACES_FIRM_H

#include "scheduler/races/races_internal.h"

/*
 * Each is called before the clocks themselves change. The task is about to
 * acquire the clock of an atomic: what it knows by that is not firm.
 */
void races__firm_part(struct races *r, uint32_t t, uint32_t from);
/* It is about to acquire `clock`, whose firm clock is `firm`. */
void races__firm_join(struct races *r, uint32_t t, uint32_t clock,
		      uint32_t firm);
/* It releases to the object; with `is_merged` as races_release_merge(). */
void races__firm_release(struct races *r, uint32_t t, uint32_t object,
			 bool is_merged);

#endif /* SCHEDULER_RACES_RACES_FIRM_H */
