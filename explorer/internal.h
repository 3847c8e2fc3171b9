/* SPDX-License-Identifier: MIT */
/*
 * internal.h - for the .c files of explorer/ only.
 *
 * The parts and who may call whom:
 *	main.c		options, subcommands; the only place that exits
 *	worker.c	one zygote and its control region; runs one run at a time
 *	search.c	the loop over runs: budget, workers, failures, summary
 *	report.c	what a person reads about one failure (text)
 *	symbols.c	addresses to functions, files and lines (elfutils)
 *	stacks.c	stacks of a frozen run's tasks (elfutils)
 *	dump.c, doctor.c, ...	one subcommand each
 */
#ifndef EXPLORER_INTERNAL_H
#define EXPLORER_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "preload/control.h"
#include "recorder/errbuf.h"
#include "recorder/trace.h"

/* -------------------------------------------------------------- worker.c */

/* What to run and how; borrowed by workers for their life. */
struct target {
	char *program;		/* absolute path, after the PATH search */
	char **argv;
	char **env;		/* NULL: ours */
	char *cwd;		/* NULL: ours */
	char *stdin_path;	/* NULL: /dev/null */
	bool has_guard;		/* seccomp filter */
	bool has_aslr;		/* set by worker_start when personality failed */
	uint64_t run_timeout_ms;	/* real time without any progress */
};

struct worker;

/*
 * Start the target up to its main and hold it there. Returns 0; or negative
 * with `err` saying what is wrong with the target (missing, static, ended
 * before main, ...): the caller exits with status 3.
 */
int worker_start(struct worker **out, const struct target *target,
		 const struct control_config *config, struct errbuf *err);

/* The mapping; valid until worker_free(). */
struct control *worker_control(struct worker *w);

/*
 * Run once as control->config says, until the verdict. With CONTROL_F_INSPECT
 * `inspect` is called while the run is frozen (pid is the run's process).
 * Returns 0 with control->verdict filled, or negative when the zygote died.
 */
int worker_run(struct worker *w,
	       void (*inspect)(struct worker *w, pid_t pid, void *data),
	       void *data, struct errbuf *err);

/*
 * What the last run printed (stdout and stderr together); valid until the
 * next run.
 */
const char *worker_output(struct worker *w, size_t *bytes);

/* Quit the zygote and release everything. Accepts NULL. */
void worker_free(struct worker *w);

/* -------------------------------------------------- symbols.c, stacks.c */

struct symbols;		/* DWARF of the modules of one trace or run */

/* From the modules' paths and addresses. Missing files are skipped. */
struct symbols *symbols_new(const struct trace_module *module, uint32_t nr);
void symbols_free(struct symbols *s);

struct symbol {
	const char *function;	/* demangled when C++; NULL unknown */
	const char *file;	/* base name with as much path as needed; NULL */
	int line;		/* 0 unknown */
	const char *module;	/* base name of the ELF file; NULL unknown */
	uint64_t offset;	/* in the module's file address space */
};

/*
 * Describe a return address (is_return: look up pc - 1) or an exact one.
 * Strings are valid until symbols_free().
 */
void symbols_find(struct symbols *s, uint64_t pc, bool is_return,
		  struct symbol *out);

/* The name of the variable that `addr` lies in: "balance", "queue+16". */
bool symbols_variable(struct symbols *s, uint64_t addr, char *text,
		      size_t bytes);

/* The call stack of one task of a frozen run. */
#define STACK_MAX_FRAMES 64
struct stack {
	uint32_t task;
	uint32_t nr;
	uint64_t pc[STACK_MAX_FRAMES];	/* [0] exact, others return addresses */
};

/*
 * Unwind task `t` of the frozen process `pid` from control->task[t]'s
 * registers. Frames inside the preloaded runtime are left out.
 */
int stacks_unwind(struct symbols *s, const struct control *c, pid_t pid,
		  uint32_t t, struct stack *out);

/* -------------------------------------------------------------- report.c */

struct report {
	const struct trace *trace;
	const char *trace_path;	/* where it was saved */
	struct symbols *symbols;
	const struct stack *stack;	/* by task, those alive; may be NULL */
	uint32_t nr_stacks;
	/* Object table of the run, for "who holds what"; id 1 is [0]. */
	const struct sched_object *object;
	uint32_t nr_objects;
	const struct sched_task *task;
	uint32_t nr_tasks;
	const char *output;	/* of the failing run */
	size_t output_bytes;
	const char *replay_command;
};

/* Print what failed, where, how it came to that, and how to replay it. */
void report_print(FILE *f, const struct report *r);

/* The schedule, operation by operation; text or JSON (explore dump). */
void report_dump(FILE *f, const struct trace *t, struct symbols *s);
void report_dump_json(FILE *f, const struct trace *t, struct symbols *s);

#endif /* EXPLORER_INTERNAL_H */
