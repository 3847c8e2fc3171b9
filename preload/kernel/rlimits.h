/* SPDX-License-Identifier: MIT */
/*
 * rlimits.h - limits on memory, and the mappings of ours that they must not
 * see.
 */
#ifndef PRELOAD_RLIMITS_H
#define PRELOAD_RLIMITS_H

#include "preload/core/runtime.h"

/* What the target is told at first. In the zygote. */
RUNTIME_HIDDEN void limits_init(void);

/* A mapping of ours, large and sparse. In the zygote. */
RUNTIME_HIDDEN void limits_reserve(const void *start, uint64_t bytes);

#endif /* PRELOAD_RLIMITS_H */
