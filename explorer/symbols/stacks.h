/* SPDX-License-Identifier: MIT */
/*
 * stacks.h - the call stack of one task of a frozen run.
 */
#ifndef EXPLORER_SYMBOLS_STACKS_H
#define EXPLORER_SYMBOLS_STACKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "explorer/symbols/symbols.h"
#include "preload/region/control.h"

#define STACK_MAX_FRAMES 64
struct stack {
	uint32_t task;
	uint32_t nr;
	bool is_exact;		/* pc[0] is the instruction it stands at */
	uint64_t pc[STACK_MAX_FRAMES];	/* others are return addresses */
};

/*
 * Unwind task `t` of the frozen process `pid` from control->task[t]'s
 * registers. Frames inside the preloaded runtime are left out.
 */
int stacks_unwind(struct symbols *s, const struct control *c, pid_t pid,
		  uint32_t t, struct stack *out);

#endif /* EXPLORER_SYMBOLS_STACKS_H */
