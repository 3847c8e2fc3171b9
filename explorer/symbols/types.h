/* SPDX-License-Identifier: MIT */
/*
 * types.h - types of variables, as DWARF has them; for explorer/symbols/ only.
 */
#ifndef EXPLORER_SYMBOLS_TYPES_H
#define EXPLORER_SYMBOLS_TYPES_H

#include "explorer/symbols/internal.h"

/*
 * variables.c: whether the variable at addr, or the part of it, is of an atomic
 * type: C11's, or a class for which symbols__is_atomic_name() holds.
 */
bool symbols__is_atomic_variable(struct symbols *s, uint64_t addr);

/*
 * variables.c: the type of what lies at addr in a variable, without qualifiers
 * and typedefs. False when nothing of just that size is declared there.
 */
bool symbols__type_at(struct symbols *s, uint64_t addr, uint32_t size,
		      Dwarf_Die *type);

/* The name of what a pointer of that type points to, when it is a variable. */
bool symbols__pointed(struct symbols *s, Dwarf_Die *pointer, uint64_t addr,
		      char *text, size_t bytes);

/* atomic.c: a class or function that belongs to the standard's atomics. */
bool symbols__is_atomic_name(const char *name);

/* variables.c: drop its indexes. */
void symbols__free_variables(struct symbols *s);

#endif /* EXPLORER_SYMBOLS_TYPES_H */
