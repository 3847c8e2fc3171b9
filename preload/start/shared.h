/* SPDX-License-Identifier: MIT */
/*
 * shared.h - shared memory that was there before main: each run gets its own.
 */
#ifndef PRELOAD_SHARED_H
#define PRELOAD_SHARED_H

#include "preload/core/runtime.h"

/* In the zygote, before the first run. */
RUNTIME_HIDDEN void shared_find(void);
/* Whether some of it is not put back. */
RUNTIME_HIDDEN bool shared_is_too_large(void);
/* In the zygote, before each run. */
RUNTIME_HIDDEN void shared_restore(void);
/* In the forked run. */
RUNTIME_HIDDEN void shared_copy(void);

#endif /* PRELOAD_SHARED_H */
