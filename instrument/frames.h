/* SPDX-License-Identifier: MIT */
/*
 * frames.h - unwind tables: functions, their frames, landing pads.
 */
#ifndef INSTRUMENT_FRAMES_H
#define INSTRUMENT_FRAMES_H

#include "instrument/internal.h"

/* The function whose range has `addr`, or NULL. */
struct function *module__function(const struct module *m, uint64_t addr);

/* The instruction that starts at `addr`, or -1; `f` contains addr. */
long module__insn(const struct module *m, const struct function *f,
		  uint64_t addr);

/* Grow *array to hold one more than `nr`. */
int module__grow(void *array, size_t size, size_t nr, size_t *max);

int cfa__read(const struct module *m, const struct function *f,
	      struct cfa_table *table);

/* The row for `addr`; *at is a hint that only grows, starting with 0. */
const struct cfa_row *cfa__row(const struct cfa_table *table, uint64_t addr,
			       size_t *at);

/* The functions of the module, ascending, from its unwind tables. */
int frames__read(struct module *m);

/* Mark the catch blocks of a function: control comes in there. */
bool lsda__mark(const struct module *m, const struct function *f);

#endif /* INSTRUMENT_FRAMES_H */
