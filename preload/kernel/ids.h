/* SPDX-License-Identifier: MIT */
/*
 * ids.h - which number is whose.
 *
 * The process has the number that the kernel gave it, in the run and in its
 * children. A task other than main is nothing to the kernel; its number lies
 * above all that the kernel ever gives out, so it can name no process, whoever
 * passes it on. Main's is the process's.
 */
#ifndef PRELOAD_IDS_H
#define PRELOAD_IDS_H

#include "preload/core/core.h"

struct trap;
struct trap_entry;

/* The kernel's PID_MAX_LIMIT. It fits in a futex word (FUTEX_TID_MASK). */
#define IDS_FIRST_TASK 4194304u

/* Of the run; private memory, and so not what a wild write can change. */
extern RUNTIME_HIDDEN uint32_t ids_process;

static inline uint32_t ids_of_task(uint32_t task)
{
	return task ? IDS_FIRST_TASK + task : ids_process;
}

/* In the zygote, before main. */
RUNTIME_HIDDEN void ids_init(void);
/* In the zygote: like fork(), with the number that every run has. */
RUNTIME_HIDDEN int64_t ids_fork_run(void);
/* In the forked run. */
RUNTIME_HIDDEN void ids_start_run(void);
/* In the zygote: end what the run left behind, children of its children. */
RUNTIME_HIDDEN void ids_end_leftovers(void);

/* In the run: whether children of its children outlived their parent. */
RUNTIME_HIDDEN bool ids_has_orphan(void);
/* In the run: whether that holds for any of its children. */
RUNTIME_HIDDEN bool ids_find_child(bool (*is)(int64_t pid));

/* The process, by its own number or one of its tasks'. */
RUNTIME_HIDDEN bool ids_is_self(int64_t pid);
/* kill()'s number of the group that the process is in. */
RUNTIME_HIDDEN bool ids_is_own_group(int64_t pid);

/* The descriptor is a pidfd of the process itself. */
RUNTIME_HIDDEN bool ids_is_own_pidfd(uint64_t fd);

/* A call that signals somebody else; arg[0] says whom. */
RUNTIME_HIDDEN int64_t ids_signal_other(struct trap *t);

/*
 * The call failed with EPERM. Whether that was the guard; then it is counted.
 */
RUNTIME_HIDDEN bool ids_was_refused(const struct trap *t);

/* In a call's arguments, tasks' numbers become the process's. */
RUNTIME_HIDDEN void ids_translate(struct trap *t, const struct trap_entry *e);

#endif /* PRELOAD_IDS_H */
