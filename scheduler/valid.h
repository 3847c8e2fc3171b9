/* SPDX-License-Identifier: MIT */
/*
 * valid.h - all invariants of the model.
 */
#ifndef SCHEDULER_VALID_H
#define SCHEDULER_VALID_H

#include "scheduler/internal.h"

/*
 * Walk everything and check the invariants that the headers state. Slow; for
 * tests, and for every scheduler_next() of a build with -Dchecks=full.
 */
bool scheduler_is_valid(const struct scheduler *s);

#endif /* SCHEDULER_VALID_H */
