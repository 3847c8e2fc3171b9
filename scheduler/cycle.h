/* SPDX-License-Identifier: MIT */
/*
 * cycle.h - tasks that wait for one another's locks.
 */
#ifndef SCHEDULER_CYCLE_H
#define SCHEDULER_CYCLE_H

#include "scheduler/scheduler.h"

/*
 * If `t` waits in a cycle of lock operations that cannot end (each waits,
 * without a deadline, for a lock that the next one holds), store its tasks in
 * `cycle`, `t` first, and return their number; else 0.
 */
uint32_t scheduler_find_cycle(const struct scheduler *s, uint32_t t,
			      uint32_t *cycle, uint32_t max);

#endif /* SCHEDULER_CYCLE_H */
