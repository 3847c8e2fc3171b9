/* SPDX-License-Identifier: MIT */
/*
 * apply.h - carry out a plan of instrument/ in the own process, with a hook
 * that counts and logs. What the runtime's zygote does, only simpler: for
 * comparing how code behaves patched and unpatched.
 *
 * The traps of all applied modules share one SIGTRAP handler. The handler
 * calls nothing, so that any library but this code may be patched.
 */
#ifndef TESTS_DIFFERENTIAL_APPLY_H
#define TESTS_DIFFERENTIAL_APPLY_H

#include <stdint.h>

#include "instrument/instrument.h"

#define APPLY_LOG_SIZE 256	/* a power of two */

struct applied {
	struct instrument_plan plan;
	uint64_t bias;
	uint8_t *code;		/* mapped, `code_bytes` of it */
	uint64_t code_bytes;
};

struct apply_call {
	uint64_t addr;
	uint64_t site;
};

/* By the hook (hook.S); nr_apply_calls & (SIZE - 1) is the next entry. */
extern uint64_t nr_apply_calls;
extern struct apply_call apply_log[APPLY_LOG_SIZE];

/* Plan the file that is loaded at `bias` and map its trampolines. */
int apply_plan(struct applied *a, const char *path, uint64_t bias,
	       uint64_t low, uint64_t high, struct errbuf *err);

/* Write all patches to the code, or take them back. Returns 0 or -errno. */
int apply_patch(const struct applied *a);
int apply_restore(const struct applied *a);

/* Only for what is not patched. */
void apply_release(struct applied *a);

/* The bounds of a loaded file, from any address in it. */
int apply_find_module(const void *inside, uint64_t *bias, uint64_t *low,
		      uint64_t *high);

#endif /* TESTS_DIFFERENTIAL_APPLY_H */
