/* SPDX-License-Identifier: MIT */
/*
 * internal.h - the inside of struct symbols, for symbols.c, inlined.c,
 * variables.c, stacks.c and report_stack.c only. Others use symbols.h.
 */
#ifndef EXPLORER_SYMBOLS_INTERNAL_H
#define EXPLORER_SYMBOLS_INTERNAL_H

#include <elfutils/libdwfl.h>

#include "explorer/symbols/stacks.h"
#include "explorer/symbols/symbols.h"

struct symbols_entry {
	uint64_t key;		/* pc * 2 + is_return; 0: free */
	struct symbol symbol;
};

struct symbols_string {
	struct symbols_string *next;
	char text[];
};

/* A task whose stack is being read; see stacks.c. */
struct symbols_subject {
	const struct control *control;
	Dwfl *dwfl;
	pid_t pid;
	uint32_t task;
	int mem_fd;		/* /proc/PID/mem, or -1 */
};

struct symbols {
	Dwfl *dwfl;
	char *cwd;		/* what paths are shown relative to; or NULL */
	struct symbols_string *strings;
	struct symbols_entry *cache;	/* open addressing, nr_cache slots */
	size_t nr_cache, nr_cached;	/* nr_cached < nr_cache / 2 */
	struct symbols_variables *variables;	/* by module; variables.c */
	struct symbols_subject subject;
	bool is_attached;	/* dwfl reads registers from `subject` */
};

/* A copy that lives as long as `s`; NULL for NULL or without memory. */
const char *symbols__keep(struct symbols *s, const char *text);

/* The same, demangled when it is a C++ or Rust name. */
const char *symbols__keep_demangled(struct symbols *s, const char *text);

/* What the source calls it, qualified when it is C++. */
const char *symbols__die_name(struct symbols *s, Dwarf_Die *die);

/*
 * inlined.c: the functions that `innermost`, the one at addr, was inlined
 * into, from the inside out, each with the line of the call. Returns how many.
 */
uint32_t symbols__callers(struct symbols *s, uint64_t addr,
			  const struct symbol *innermost, struct symbol *out,
			  uint32_t max);

/* symbols.c: the compilation unit that addr lies in, or NULL. */
Dwarf_Die *symbols__unit(Dwfl_Module *module, Dwarf_Addr addr,
			 Dwarf_Addr *bias);

/*
 * inlined.c: the functions and blocks around the address, innermost first, in
 * an array to be freed. Returns how many.
 */
int symbols__scopes(Dwarf_Die *unit, Dwarf_Addr addr, Dwarf_Die **scopes);

/* symbols.c: fill in `file`, as it is shown, and `is_system`. */
void symbols__set_path(struct symbols *s, const char *dir, const char *file,
		       struct symbol *out);

#endif /* EXPLORER_SYMBOLS_INTERNAL_H */
