/* SPDX-License-Identifier: MIT */
/*
 * calls.h - memory that functions of the C library access for the program.
 */
#ifndef PRELOAD_CALLS_H
#define PRELOAD_CALLS_H

#include "preload/memory/access.h"

/* In the zygote: make the calls of watched modules come here; once. */
RUNTIME_HIDDEN void calls_install(void);
/* In the zygote, before a fork: know the calls that runs have met. */
RUNTIME_HIDDEN void calls_refresh(void);

/*
 * The interposed function with that frame (__builtin_frame_address(0)) is about
 * to overwrite the memory, or to take it away.
 */
RUNTIME_HIDDEN void calls_write(const uint64_t *frame, const void *p,
				uint64_t bytes);
/*
 * The same for free() and realloc(), as `what` says. Does not return when the
 * block is none, after other tasks had their turn, if they get one.
 */
RUNTIME_HIDDEN void calls_free(const uint64_t *frame, const void *p,
			       const char *what);

#endif /* PRELOAD_CALLS_H */
