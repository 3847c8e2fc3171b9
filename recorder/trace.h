/* SPDX-License-Identifier: MIT */
/*
 * trace.h - one recorded run: what is in a trace directory.
 *
 * A directory holds `trace.json` (everything a person may want to read),
 * `decisions` (the events, binary) and `inputs` (what came from outside,
 * binary); see docs/TRACE_FORMAT.md. The writer is recorder/trace_writer.c, the
 * reader replayer/trace_reader.c; both work on this struct.
 *
 * Nothing in a trace depends on the time or the machine's load: the same
 * search with the same seed writes the same bytes.
 */
#ifndef RECORDER_TRACE_H
#define RECORDER_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/region/control.h"
#include "base/errbuf.h"

#define TRACE_FORMAT_VERSION 3

/* Our own reasons, beside -errno of the system's. */
enum trace_error {
	/* Truncated, bit-flipped, not a trace */
	TRACE_E_CORRUPT = -20001,
	TRACE_E_VERSION = -20002,	/* written by a newer explore */
	TRACE_E_EXISTS = -20003,	/* never overwritten */
};

struct trace_module {
	char *path;		/* absolute; "[vdso]" and the like allowed */
	char *build_id;		/* trace_build_id(), or "": unknown */
	uint64_t start, end, bias;	/* as struct control_module */
	bool is_watched;	/* its memory accesses were instrumented */
	uint32_t order_only;	/* enum instrument_order_only, or 0 */
};

/* What an object id of the events stands for. */
struct trace_object {
	uint64_t addr;		/* in the target; tasks: the task id */
	uint64_t first_pc;	/* code that used it first */
	uint8_t class;		/* enum sched_class */
};

/* What was known of an instruction, or a call, when the run began. */
struct trace_site {
	uint64_t addr;		/* in the modules above */
	uint32_t state;		/* enum control_access_state */
};

/* All pointers are owned by the trace, freed by trace_release(). */
struct trace {
	char *tool_version;
	char *program;		/* absolute path of what was executed */
	char **argv;		/* NULL-terminated */
	/* NULL-terminated "A=b", as the target had it */
	char **env;
	char *cwd;
	char *stdin_path;	/* file given as --stdin, absolute, or NULL */
	char *strategy;		/* as typed: "pct:depth=3", "./my.so" */
	uint64_t seed;
	uint64_t run;		/* number of the run in its search */
	struct control_config config;	/* as the run had it, flags included */
	struct control_verdict verdict;
	uint64_t digest;
	uint32_t nr_tasks;
	uint64_t nr_preemptions;
	uint64_t nr_switches;
	uint64_t nr_ops[EXPLORE_OP_NR];
	bool has_reproduced;	/* the confirming replay gave the same */
	char **ok_exit;		/* unused entries NULL; reserved, may be NULL */
	struct trace_module *module;
	uint32_t nr_modules;
	struct sched_event *event;
	uint64_t nr_events;
	/*
	 * Instructions whose accesses were operations in this run: addresses
	 * in the modules above, ascending.
	 */
	uint64_t *live_site;
	uint32_t nr_live_sites;
	/*
	 * The state of all sites that had one, in the order of addresses; an
	 * instruction with two accesses is there twice. NULL: the trace is of
	 * version 2 or older, and live_site is all there is.
	 */
	struct trace_site *site;
	uint32_t nr_sites;
	uint8_t *input;
	uint64_t input_bytes;
	/* For names in reports and dumps; id 1 is [0]. May be NULL. */
	struct trace_object *object;
	uint32_t nr_objects;
	/*
	 * What memory operations found and left behind, by step, ascending; of
	 * the confirming replay. May be NULL, and may lack some.
	 */
	struct control_value *value;
	uint64_t nr_values;
	/* What else happened, by step, ascending; of the same. May be NULL. */
	struct control_note *note;
	uint32_t nr_notes;
};

/* Start empty. */
void trace_init(struct trace *t);

/* Free what it owns and clear it. Safe on an empty one. */
void trace_release(struct trace *t);

/* Copy what a trace keeps of a run's object table. Returns 0 or -ENOMEM. */
int trace_set_objects(struct trace *t, const struct sched_object *object,
		      uint32_t nr);

/*
 * Write `t` as a new directory `parent`/`name`-N with the lowest free N >= 0,
 * making `parent` when needed. Whole or not at all: written under a temporary
 * name, synced, renamed. *path is set to the new directory's path (malloc, the
 * caller frees). Returns 0 or negative with `err` filled and nothing left
 * behind.
 */
int trace_write(const struct trace *t, const char *parent, const char *name,
		char **path, struct errbuf *err);

/* Remove what writers that were killed have left unfinished in `parent`. */
void trace_clean(const char *parent);

/*
 * Read a trace directory into `t` (initialised, empty). Checks sizes, versions
 * and checksums of all parts. Returns 0, -errno or enum trace_error, with
 * `err` filled and `t` empty.
 */
int trace_read(struct trace *t, const char *path, struct errbuf *err);

/*
 * Compare the modules with the files now on disk. Returns 0 when all build ids
 * still match, else -ESTALE with the first difference in `err`.
 */
int trace_check_modules(const struct trace *t, struct errbuf *err);

/*
 * The latest trace below `parent` (by modification time, then name), malloc'd
 * in *path. Returns 0, or -ENOENT with `err` filled.
 */
int trace_find_latest(const char *parent, char **path, struct errbuf *err);

/*
 * What identifies the file's contents, malloc'd: the GNU build id as lower-case
 * hex or, without one, "content:SIZE-CHECKSUM". Returns 0 or -errno.
 */
int trace_build_id(const char *path, char **build_id);

#endif /* RECORDER_TRACE_H */
