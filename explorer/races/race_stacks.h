/* SPDX-License-Identifier: MIT */
/*
 * race_stacks.h - the call stacks of both accesses of a race, by replaying the
 * run that it was seen in.
 */
#ifndef EXPLORER_RACE_STACKS_H
#define EXPLORER_RACE_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "explorer/symbols/stacks.h"
#include "explorer/target/worker.h"
#include "preload/region/control.h"
#include "recorder/trace.h"

/*
 * The stacks of race `r`, which the process of `from` saw first in the run `t`.
 * `w` is another worker of the same target. Addresses are those of `from`.
 * Returns 0, or negative with the reason in `err`; then one or both stacks have
 * no frames.
 */
int race_stacks_find(struct worker *w, const struct trace *t,
		     const struct control *from, const struct control_race *r,
		     struct stack *later, struct stack *earlier,
		     struct errbuf *err);

/* Addresses of code and variables in one process, put in terms of another. */
uint64_t race_stacks_address(const struct control *from,
			     const struct control *to, uint64_t addr);
void race_stacks_move(struct stack *stack, const struct control *from,
		      const struct control *to);
void race_stacks_move_race(struct control_race *r, const struct control *from,
			   const struct control *to);

/* The race that a run ended by; sites stay 0. False: it did not. */
bool race_stacks_parse(const struct control_verdict *v, struct control_race *r);

/*
 * A run that ended by a race: before its next replay in `w`, have the accesses
 * counted; after it, replay once more for the stack of the earlier one, with
 * addresses of `w`. Returns 0, or negative with `err`.
 */
void race_stacks_count(struct worker *w, const struct trace *t);
int race_stacks_earlier(struct worker *w, const struct trace *t,
			struct stack *earlier, struct errbuf *err);

#endif /* EXPLORER_RACE_STACKS_H */
