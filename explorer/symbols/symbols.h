/* SPDX-License-Identifier: MIT */
/*
 * symbols.h - addresses of the target to functions, lines, variables, values.
 */
#ifndef EXPLORER_SYMBOLS_SYMBOLS_H
#define EXPLORER_SYMBOLS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/trace.h"

struct symbols;		/* DWARF of the modules of one trace or run */

/* From the modules' paths and addresses. Missing files are skipped. */
struct symbols *symbols_new(const struct trace_module *module, uint32_t nr);
void symbols_free(struct symbols *s);

struct symbol {
	const char *function;	/* demangled when C++; NULL unknown */
	/* Base name with as much path as needed; NULL */
	const char *file;
	int line;		/* 0 unknown */
	const char *module;	/* base name of the ELF file; NULL unknown */
	uint64_t offset;	/* in the module's file address space */
	bool is_system;		/* in the C library or in a system header */
};

/*
 * Of several functions inlined at one address: the innermost that does not
 * stand in a system header. Describe a return address (is_return: look up pc -
 * 1) or an exact one. Strings are valid until symbols_free().
 */
void symbols_find(struct symbols *s, uint64_t pc, bool is_return,
		  struct symbol *out);

#define SYMBOLS_MAX_CHAIN 16u

/*
 * All functions inlined at pc, from the inside out, each with its
 * line; without those of system headers, unless there is no other. Returns how
 * many, at least 1. Context: pc is no kernel address.
 */
uint32_t symbols_chain(struct symbols *s, uint64_t pc, bool is_return,
		       struct symbol *out, uint32_t max);

/*
 * Whether the access to `addr` by the instruction at pc was meant to be atomic,
 * by the variable's type, the inlined functions, or the words of the source
 * line (a guess, see atomic.c).
 */
bool symbols_is_atomic(struct symbols *s, uint64_t pc, uint64_t addr);

/*
 * Whether two accesses are no data race, because both are atomic. One of them
 * is enough when there is no debug information on the other.
 */
bool symbols_is_atomic_pair(struct symbols *s, uint64_t pc, uint64_t other_pc,
			    uint64_t addr);

/*
 * Whether nothing is known about either access that would tell a plain one from
 * an atomic load or store: no line, or no source file to read it in.
 */
bool symbols_may_be_atomic_pair(struct symbols *s, uint64_t pc,
				uint64_t other_pc);

#endif /* EXPLORER_SYMBOLS_SYMBOLS_H */
