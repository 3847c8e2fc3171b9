/* SPDX-License-Identifier: MIT */
/*
 * variables.h - names, types and values of the target's variables.
 */
#ifndef EXPLORER_SYMBOLS_VARIABLES_H
#define EXPLORER_SYMBOLS_VARIABLES_H

#include "explorer/symbols/symbols.h"

/* The name of the variable that `addr` lies in: "balance", "queue+16". */
bool symbols_variable(struct symbols *s, uint64_t addr, char *text,
		      size_t bytes);

/* Whether the variable at addr, or the part of it, is declared volatile. */
bool symbols_is_volatile(struct symbols *s, uint64_t addr);

/*
 * The first `size` bytes at addr, at most 16 of them known, as a C programmer
 * writes them: by the type of the variable there, when it is known.
 */
void symbols_value(struct symbols *s, uint64_t addr, const uint8_t *data,
		   uint32_t size, char *text, size_t bytes);

#endif /* EXPLORER_SYMBOLS_VARIABLES_H */
