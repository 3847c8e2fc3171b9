/* SPDX-License-Identifier: MIT */
/*
 * shm.h - what a program leaves where others find it by name: /dev/shm, POSIX
 * message queues, System V objects. Each run finds what was there at main.
 */
#ifndef PRELOAD_SHM_H
#define PRELOAD_SHM_H

#include "preload/core/core.h"

/* Before the program's constructors. */
RUNTIME_HIDDEN void shm_start(void);
/* In the zygote, before the first run. */
RUNTIME_HIDDEN void shm_find(void);
/* In the zygote, before each run. */
RUNTIME_HIDDEN void shm_restore(void);
/* In the forked run. */
RUNTIME_HIDDEN void shm_start_run(void);
/* Of enum control_carried. */
RUNTIME_HIDDEN uint64_t shm_carried(void);

#endif /* PRELOAD_SHM_H */
