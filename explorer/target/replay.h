/* SPDX-License-Identifier: MIT */
/*
 * replay.h - a trace run again in a worker.
 */
#ifndef EXPLORER_TARGET_REPLAY_H
#define EXPLORER_TARGET_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "explorer/symbols/stacks.h"
#include "explorer/target/worker.h"
#include "recorder/trace.h"

/* The stacks of a run's live tasks, collected while it was frozen. */
struct replay_stacks {
	struct symbols *symbols;
	struct stack *stack;
	uint32_t nr;
};
void replay_stacks_release(struct replay_stacks *s);

/*
 * Run `t` again in `w`. Returns 0 with the outcome in the control region, or
 * as worker_run(). `stacks` (empty) may be NULL.
 */
int replay_run(struct worker *w, const struct trace *t,
	       struct replay_stacks *stacks, struct errbuf *err);

/*
 * The same with another way to look at the run while it is frozen at its end.
 * NULL: without.
 */
int replay_inspect(struct worker *w, const struct trace *t,
		   void (*look)(struct worker *w, pid_t pid, void *data),
		   void *data, struct errbuf *err);

/* An address in a module of the trace, in the process of `c`; 0: in none. */
uint64_t replay_address(const struct control *c, const struct trace *t,
			uint64_t addr);

/* Whether the outcome in `c` is the recorded one: verdict and digest. */
bool replay_is_same(const struct control *c, const struct trace *t);

/* Where and how it was not: "diverged at event 12: expected ..., got ...". */
void replay_explain(const struct control *c, const struct trace *t,
		    struct errbuf *text);

/* The module table of a region as a trace has it; owned by the caller. */
struct trace_module *replay_modules(const struct control *c,
				    const char *program, uint32_t *nr);
void replay_modules_free(struct trace_module *m, uint32_t nr);

#endif /* EXPLORER_TARGET_REPLAY_H */
