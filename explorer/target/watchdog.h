/* SPDX-License-Identifier: MIT */
/*
 * watchdog.h - looks after a run that does not reach its next operation.
 *
 * Three things can keep a run from moving on: it computes, which is fine; it
 * spins on a variable that only another task can change, which must be
 * interrupted; or it is stuck for good. The tool looks at it every few
 * milliseconds and never when all is well.
 */
#ifndef EXPLORER_WATCHDOG_H
#define EXPLORER_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explorer/target/ward.h"
#include "preload/region/control.h"

enum watchdog_reason {
	WATCHDOG_NONE = 0,	/* nothing done */
	WATCHDOG_STUCK,		/* no operation within the limit */
	WATCHDOG_STOPPED,	/* Ctrl-C */
};

/* Of one run. */
struct watchdog {
	struct control *control;
	const struct ward *ward;
	pid_t run;		/* its number, while run_fd is open */
	int run_fd;		/* pidfd; -1: not looked for yet, or gone */
	uint64_t limit_ns;	/* of the time charged without an operation */
	uint64_t step;		/* as last seen */
	uint64_t moved_ns;	/* real time when `step` changed */
	uint64_t probe_ns;	/* real time of the next probe */
	uint64_t spins;		/* found so far in this run */
	uint64_t pause_ns;	/* between the next two probes */
	uint64_t charged_ns;	/* since it moved; up to charged_at_ns: */
	uint64_t charged_at_ns;	/* real time */
	uint64_t charged_cpu_ns;	/* the run's processor time */
	uint32_t nr_forces;	/* sent so far in this run */
	uint64_t probed_cpu_ns;	/* at the last probe */
	uint64_t killed_ns;	/* real time of the first kill */
	enum watchdog_reason reason;	/* why the run was killed */
};

/*
 * `pause_ns` is d->pause_ns of an earlier run of the program, or 0: where all
 * probes were in vain, the next run is not probed so soon.
 */
void watchdog_init(struct watchdog *d, struct control *c,
		   const struct ward *ward, uint64_t limit_ms,
		   uint64_t pause_ns);
void watchdog_end(struct watchdog *d);

/*
 * The number of the run, which the kernel is asked for: the target may have
 * written what it likes to the control region. 0: it is not there.
 */
pid_t watchdog_run(struct watchdog *d);

/* One look: probe the run, or kill it again. */
void watchdog_look(struct watchdog *d);

/* Whether its time is up: it is to be killed, and may be looked at before. */
bool watchdog_is_late(const struct watchdog *d);

/* It stood still on our behalf: start counting again. */
void watchdog_moved(struct watchdog *d);

/* Kill the run, for a reason of the caller's. The first reason stands. */
void watchdog_kill(struct watchdog *d, enum watchdog_reason reason);

/* Whether the run was killed long ago and the zygote has not noticed. */
bool watchdog_is_hopeless(const struct watchdog *d);

/* The message of a TIMEOUT verdict. */
void watchdog_describe(const struct watchdog *d, char *text, size_t bytes);

#endif /* EXPLORER_WATCHDOG_H */
