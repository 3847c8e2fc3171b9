/* SPDX-License-Identifier: MIT */
/*
 * access.h - memory accesses of the target as operations: which code is
 * watched, which sites are live, which races were seen.
 */
#ifndef EXPLORER_ACCESS_H
#define EXPLORER_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "preload/region/control.h"
#include "base/errbuf.h"

struct symbols;
struct trace_site;

#define ACCESS_MAX_PATTERNS 32
#define ACCESS_MAX_PATHS CONTROL_MAX_MODULES

enum access_races { ACCESS_RACES_REPORT, ACCESS_RACES_FAIL, ACCESS_RACES_OFF };

/* What to watch; the patterns are borrowed from the command line. */
struct access_scope {
	bool is_on;
	/* These paths and no others are watched; those for their order. */
	bool is_exact;
	const char *path[ACCESS_MAX_PATHS];
	uint8_t order_only[ACCESS_MAX_PATHS];	/* enum instrument_order_only */
	uint32_t nr_paths;
	enum access_races races;
	const char *only[ACCESS_MAX_PATTERNS];	/* --instrument: more */
	uint32_t nr_only;
	const char *except[ACCESS_MAX_PATTERNS];	/* --no-instrument */
	uint32_t nr_except;
	const char *suppressions;	/* file, or NULL */
};

/* What was found in the code; sums over modules. */
struct access_stats {
	uint32_t nr_modules, nr_functions, nr_sites, nr_jumps, nr_int3;
	uint32_t skipped[INSTRUMENT_SKIP_NR];
	/* Modules in scope that are left alone: without .eh_frame, no room. */
	uint32_t nr_without_ranges, nr_without_room;
	uint32_t nr_order_only;	/* further modules */
};

/*
 * Plan the patches for all modules in scope and put them into the control
 * region; the caller then gives the zygote CONTROL_COMMAND_INSTRUMENT.
 * `program` is the main program's path, `pid` the zygote. Returns 0 or negative
 * with `err`.
 */
int access_plan(struct control *c, const struct access_scope *scope,
		const char *program, int pid, struct access_stats *stats,
		struct errbuf *err);

/* Print that: what is watched, what is not and why. */
void access_print_stats(FILE *f, const struct access_stats *s,
			const struct control *c, uint32_t nr_live);

/* Back to what every run begins with: access_start[] and its kin. */
void access_rewind(struct control *c);
/* The run is to be done again, with what it showed to be atomic. */
void access_keep_atomic(struct control *c);

/*
 * Whether any site lies in [start, end), and which enum instrument_order_only.
 */
bool access_is_watched(const struct control *c, uint64_t start, uint64_t end,
		       uint32_t *order_only);

/*
 * The addresses of what a run starts with as operations, malloc'd, ascending.
 */
uint64_t *access_live_sites(const struct control *c, uint32_t *nr);
/* Exactly these are live, and known to be worth it: a trace says no more. */
void access_set_live(struct control *c, const uint64_t *site, uint32_t nr);

/* All that a run starts with and what it does depends on; malloc'd. */
struct trace_site *access_sites(const struct control *c, uint32_t *nr);
/* Start runs with exactly that. */
void access_set_sites(struct control *c, const struct trace_site *site,
		      uint32_t nr);

/*
 * The number here of the site at pc that has number `site` in another process
 * of the same target: calls are numbered as they are met.
 */
uint32_t access_find_site(struct control *c, uint64_t pc, uint32_t site);

#endif /* EXPLORER_ACCESS_H */
