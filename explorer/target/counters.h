/* SPDX-License-Identifier: MIT */
/*
 * counters.h - performance counters as a clock: `--clock hpc`.
 */
#ifndef EXPLORER_COUNTERS_H
#define EXPLORER_COUNTERS_H

#include <stdbool.h>

#include "preload/region/control.h"
#include "base/errbuf.h"

/* What Zen's users are told when counters_may_overcount(). */
#define COUNTERS_ZEN_WARNING                                                 \
	"this processor may count branches of undone locks (SpecLockMap); "  \
	"replays can diverge. Set bit 54 of MSR 0xc0011020 on all cores to " \
	"turn that off"

/*
 * The event that counts retired conditional branches on that processor, with
 * the margins its skid needs. False when it is not known.
 */
bool counters_event(const char *vendor, unsigned int family,
		    unsigned int model, struct control_clock *clock);

/*
 * Fill `clock` for this machine, after a proof that the counter counts
 * exactly. Returns 0, or a negative errno with the reason and what to do about
 * it in `err`, to be read behind "the branch counter cannot be used: ".
 */
int counters_find(struct control_clock *clock, struct errbuf *err);

/*
 * The clock that ticks when a certain instruction is executed, its address to
 * be filled in. It needs no counter but takes the same way, with small margins.
 */
struct control_clock counters_break(void);

/*
 * The address of SYMBOL, SYMBOL+OFFSET or 0xADDRESS, of the program's symbol
 * table, in the process that `c` describes. Returns 0, or negative with `err`.
 */
int counters_resolve(const char *symbol, const char *program,
		     const struct control *c, uint64_t *addr,
		     struct errbuf *err);

/* AMD Zen with SpecLockMap on, or when that cannot be told. */
bool counters_may_overcount(void);

#endif /* EXPLORER_COUNTERS_H */
