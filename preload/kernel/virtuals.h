/* SPDX-License-Identifier: MIT */
/*
 * virtuals.h - descriptors that tell of the model's signals and timers:
 * signalfd and timerfd.
 *
 * Behind each is an eventfd of the kernel's, which is readable whenever the
 * model says that the descriptor is: so poll, select and epoll need to know
 * nothing of it. Reading is done here.
 */
#ifndef PRELOAD_VIRTUALS_H
#define PRELOAD_VIRTUALS_H

#include "preload/kernel/traps.h"

/* How many descriptors there are. */
extern RUNTIME_HIDDEN uint32_t virtuals_nr;

/* Answer a call on such a descriptor; false: it is none, or the kernel's. */
RUNTIME_HIDDEN bool virtuals_answer(struct trap *t, const struct trap_entry *e,
				    int64_t *r);
/* Let the kernel know what is readable for that task. */
RUNTIME_HIDDEN void virtuals_show(uint32_t task);
/* A descriptor is the copy of another one; it is closed. */
RUNTIME_HIDDEN void virtuals_copy(int64_t to, uint64_t from);
RUNTIME_HIDDEN void virtuals_forget(uint32_t first, uint32_t last);
/* In a child: from now on they are the kernel's own. */
RUNTIME_HIDDEN void virtuals_go_native(void);

#endif /* PRELOAD_VIRTUALS_H */
