/* SPDX-License-Identifier: MIT */
/*
 * attributes.h - what the kernel keeps for each thread beside its registers: on
 * which processors it may run, how it is scheduled, how nice it is, its timer
 * slack. The carrier has one of each only, so tasks have theirs here.
 */
#ifndef PRELOAD_ATTRIBUTES_H
#define PRELOAD_ATTRIBUTES_H

#include "preload/core/runtime.h"

/* In the zygote: what main begins with. */
RUNTIME_HIDDEN void attributes_init(void);
/* In the run. */
RUNTIME_HIDDEN void attributes_start_run(void);
/* A task begins with what the task has that makes it. */
RUNTIME_HIDDEN void attributes_inherit(uint32_t parent, uint32_t child);
/* In a forked child: the kernel's thread gets what the task had. */
RUNTIME_HIDDEN void attributes_set_native(uint32_t task);

#endif /* PRELOAD_ATTRIBUTES_H */
