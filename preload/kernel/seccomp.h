/* SPDX-License-Identifier: MIT */
/*
 * seccomp.h - the target's own seccomp filters.
 */
#ifndef PRELOAD_SECCOMP_H
#define PRELOAD_SECCOMP_H

#include "preload/kernel/traps.h"

/* Some task has a filter, or will gain no privileges. Private memory. */
extern RUNTIME_HIDDEN bool seccomp_is_on;

/*
 * Put a call of the current task to its filters. Returns whether it is to be
 * made; if not, *result is its result. A filter may end the task or the run.
 */
RUNTIME_HIDDEN bool seccomp_admits(struct trap *t, int64_t *result);

/* A new thread has what its parent has. */
RUNTIME_HIDDEN void seccomp_inherit(uint32_t parent, uint32_t child);

/*
 * In a native child of the current task, or before it executes a program:
 * give the filters to the kernel. Calls of the runtime's stub page pass.
 */
RUNTIME_HIDDEN void seccomp_go_native(void);

/* Of a task, as /proc/TID/status says it: the mode, how many filters. */
RUNTIME_HIDDEN uint32_t seccomp_mode(uint32_t task);
RUNTIME_HIDDEN uint32_t seccomp_nr_filters(uint32_t task);
RUNTIME_HIDDEN bool seccomp_has_no_new_privs(uint32_t task);

#endif /* PRELOAD_SECCOMP_H */
