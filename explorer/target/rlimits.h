/* SPDX-License-Identifier: MIT */
/*
 * rlimits.h - resource limits: the user's, and what tool and runtime need
 * beyond them.
 *
 * `ulimit -v` and its kin are meant for the program. The tool raises its own
 * soft limits as far as it may. A target gets the user's back; those that count
 * address space and private memory with what the runtime maps on top, which
 * the target does not see (preload/kernel/rlimits.c).
 */
#ifndef EXPLORER_RLIMITS_H
#define EXPLORER_RLIMITS_H

#include "preload/region/control.h"

/* Once, before anything else is done. */
void limits_raise(void);

/* What the runtime is to show the target of them. */
void limits_describe(struct control *c);

/* In the child that becomes the target. Context: between fork and exec. */
void limits_give_back(void);

#endif /* EXPLORER_RLIMITS_H */
