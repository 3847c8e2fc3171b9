/* SPDX-License-Identifier: MIT */
/*
 * strategies.h - the strategies that come with the tool, and how to choose one.
 *
 * What a strategy is and may do stands in <explore/strategy.h>; this header is
 * for those who run them: the runtime, the tool and the tests.
 *
 * Rules of this folder, the same as of scheduler/: pure C, no malloc, no
 * stdio, no system call, no floating point, nothing of the C library. The
 * same files are built into the tool, the tests and the runtime. Every
 * function may be called anywhere, one caller at a time per state block, and
 * leaves errno alone.
 *
 * Adding one: docs/HOWTO_ADD_STRATEGY.md.
 */
#ifndef STRATEGIES_STRATEGIES_H
#define STRATEGIES_STRATEGIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <explore/strategy.h>

/* ------------------------------------------------------------ registry */

/* What --strategy is when it is not given. */
#define STRATEGIES_DEFAULT "portfolio"

extern const struct explore_strategy strategy_random;
extern const struct explore_strategy strategy_pct;
extern const struct explore_strategy strategy_pos;
extern const struct explore_strategy strategy_sites;
extern const struct explore_strategy strategy_dfs;
extern const struct explore_strategy strategy_pb;
extern const struct explore_strategy strategy_db;
extern const struct explore_strategy strategy_rr;
extern const struct explore_strategy strategy_slices;
extern const struct explore_strategy strategy_portfolio;

/* The built-in strategy of that name, or NULL. */
const struct explore_strategy *strategies_find(const char *name);

/* All that a user may choose, the default first; ends with NULL. */
const struct explore_strategy *const *strategies_all(void);

/* ------------------------------------------------- --strategy's argument */

#define STRATEGIES_TEXT_BYTES 256	/* enough for every text made here */

/*
 * Read "name", "name:key=value,..." or a plug-in's path followed by the same.
 * A path is what holds a '/'; its parameters are behind the last ':' that is
 * followed by a '=' and no '/'.
 *
 * The part before the parameters goes to `name`. With `strategy` NULL that is
 * all: find or load it, then call again. Else `setup->value` and `nr_values`
 * are filled: presets where nothing was typed. Other fields of `setup` are
 * left alone.
 *
 * Returns 0, or -EINVAL with one complete line in `err` and `setup`
 * unspecified.
 */
int strategies_parse(const char *spec, char *name, size_t name_bytes,
		     struct explore_setup *setup,
		     const struct explore_strategy *strategy, char *err,
		     size_t err_bytes);

/* -------------------------------------------------------------- checking */

/*
 * Whether `s`, perhaps a plug-in's, fills in what it must: ABI number, name,
 * summary, functions, parameters. Returns 0, or -EINVAL with the reason in
 * `text`, which then reads well behind "strategy 'x.so': ".
 */
int strategies_check_abi(const struct explore_strategy *s, char *text,
			 size_t bytes);

/*
 * pick(), and whether the answer keeps the rules. An illegal one is returned
 * as it came, for the message; it must not be followed.
 */
struct explore_decision
strategy_checked_pick(const struct explore_strategy *s, void *state,
		      const struct explore_point *point, bool *is_legal);

/*
 * One line saying what is wrong with an answer that strategy_checked_pick()
 * called illegal: "strategy 'x' answered 5 at step 12, where 0 to 2 are
 * possible".
 */
void strategies_explain_pick(const struct explore_strategy *s,
			     const struct explore_point *point,
			     struct explore_decision decision, char *text,
			     size_t bytes);

/* ---------------------------------------------------------------- replay */

/*
 * State of strategy_replay: what was chosen at each step of the run to repeat.
 * TASK and WAKE: the task's id; VALUE: the number. Steps from `nr` on, and
 * steps whose choice is not on offer, are answered EXPLORE_PICK_DIVERGED.
 */
struct strategy_replay_state {
	uint64_t nr;		/* at most capacity */
	uint64_t capacity;	/* setup->max_steps */
	struct {
		uint64_t ticks;	/* TASK */
		uint32_t chosen;
		uint32_t pad;
	} step[];
};

#endif /* STRATEGIES_STRATEGIES_H */
