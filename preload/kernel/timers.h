/* SPDX-License-Identifier: MIT */
/*
 * timers.h - what timers.c shares with the clocks (time.c), with signals and
 * with the descriptors of timers (virtuals.c).
 *
 * A timer expires on virtual time. One that sends a signal begins its next
 * interval when the signal is taken, and counts what it missed, as the kernel
 * has it; one behind a descriptor counts until it is read.
 */
#ifndef PRELOAD_TIMERS_H
#define PRELOAD_TIMERS_H

#include "preload/kernel/traps.h"

#define TIME_NS_PER_S 1000000000ull

struct timespec64 {
	int64_t sec, nsec;
};

/* ------------------------------------------------------------- time.c */

RUNTIME_HIDDEN bool time_is_valid(const struct timespec64 *ts);
/* That long from now. */
RUNTIME_HIDDEN uint64_t time_from_now(const struct timespec64 *ts);
/* A clock that moves only while somebody computes. */
RUNTIME_HIDDEN bool time_is_of_processor(int clock);

/* -------------------------------------------------------- descriptors */

/* Its id; -EAGAIN: there are too many. */
RUNTIME_HIDDEN int timers_open(int clock);
RUNTIME_HIDDEN void timers_close(int id);
/* The calls, with the times at args 2 and 3, or 1. */
RUNTIME_HIDDEN int64_t timers_set(int id, struct trap *t);
RUNTIME_HIDDEN int64_t timers_get(int id, struct trap *t);
/* Its interval and when it expires next, as the kernel's calls take them. */
RUNTIME_HIDDEN void timers_describe(int id, uint64_t time[4]);
/* Expirations that were not read, up to now. */
RUNTIME_HIDDEN uint64_t timers_ticks(int id);
RUNTIME_HIDDEN uint64_t timers_take_ticks(int id);

/* ------------------------------------------------------------ signals */

/* One that a timer may have sent is about to be handed out. */
RUNTIME_HIDDEN void timers_taken(struct signals_info *info);
/* A disposition or a mask is another one: who sent in vain may try again. */
RUNTIME_HIDDEN void timers_look_again(void);

#endif /* PRELOAD_TIMERS_H */
