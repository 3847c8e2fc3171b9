/* SPDX-License-Identifier: MIT */
/*
 * encoded.h - encoded numbers and pointers of unwind tables.
 */
#ifndef INSTRUMENT_ENCODED_H
#define INSTRUMENT_ENCODED_H

#include "instrument/frames.h"

uint64_t cursor__fixed(struct cursor *c, unsigned int bytes);
uint64_t cursor__uleb(struct cursor *c);
int64_t cursor__sleb(struct cursor *c);
void cursor__skip(struct cursor *c, uint64_t bytes);

/* A DW_EH_PE_* pointer. Indirect ones are left unresolved: their slot. */
uint64_t cursor__pointer(struct cursor *c, uint8_t encoding);

#endif /* INSTRUMENT_ENCODED_H */
