/* SPDX-License-Identifier: MIT */
/*
 * tls.h - thread-local variables that other threads can reach.
 */
#ifndef INSTRUMENT_TLS_H
#define INSTRUMENT_TLS_H

#include "instrument/code.h"

/* Set shares_tls of the module. */
void tls__find(struct module *m);

/* The operand is a variable of the thread, not what the C library keeps. */
bool tls__is_variable(const struct module *m,
		      const ZydisDecodedOperandMem *mem);

#endif /* INSTRUMENT_TLS_H */
