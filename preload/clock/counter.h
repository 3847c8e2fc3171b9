/* SPDX-License-Identifier: MIT */
/*
 * counter.h - perf events of the carrier: a counter that overflows, and a
 * breakpoint (perf_event_open(2)). Both raise SIGTRAP with si_code TRAP_PERF
 * at once, in the thread itself (attr.sigtrap, Linux 5.13).
 *
 * Context: a run, on whatever stack; no two callers at once.
 */
#ifndef PRELOAD_COUNTER_H
#define PRELOAD_COUNTER_H

#include "preload/core/core.h"

#define COUNTER_TRAP_CODE 6	/* si_code: TRAP_PERF */

/* attr.sig_data, and so si_perf_data: which event it was. */
enum counter_source {
	COUNTER_OVERFLOW = 0x6578706c6f766572,
	COUNTER_BREAK = 0x6578706c62726561,
};

/*
 * Open the events of this run's clock, stopped. Returns 0 or a negative errno;
 * see explorer/target/counters.c for what to do about it.
 */
RUNTIME_HIDDEN int64_t counter_open(const struct control_clock *clock);

/*
 * The counter runs in the target's code only: the way into the runtime stops
 * it (clock_entry in entry.S) and the way out may start it again. These act on
 * the stopped one.
 */
RUNTIME_HIDDEN void counter_reset(void);
RUNTIME_HIDDEN void counter_set_period(uint64_t ticks);
#define COUNTER_NEVER (1ull << 40)	/* a period that no run gets to */
RUNTIME_HIDDEN void counter_stop(void);
/* Ticks since the last reset; UINT64_MAX when it is out of order. */
RUNTIME_HIDDEN uint64_t counter_read(void);

/* Trap before the instruction at addr, each time. False: no free register. */
RUNTIME_HIDDEN bool counter_break_at(uint64_t addr);
RUNTIME_HIDDEN void counter_break_off(void);

/* The ioctl that makes it run, or not. */
RUNTIME_HIDDEN uint32_t counter_request(bool runs);

/* The counter's descriptor, for entry.S; -1: none. */
extern RUNTIME_HIDDEN int32_t counter_fd;

#endif /* PRELOAD_COUNTER_H */
