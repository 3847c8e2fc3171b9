/* SPDX-License-Identifier: MIT */
/*
 * internal.h - for the .c files of explorer/ only.
 *
 * The parts and who may call whom:
 *	main.c		picks the subcommand; exits
 *	cmd_*.c, doctor.c	one subcommand each; may die()
 *	options.c	the command line (pure)
 *	target.c	what is to be run, and whether it can be
 *	guard.c		the seccomp filter that every target gets
 *	launch.c	from fork to exec
 *	worker.c	one zygote and its control region; one run at a time
 *	plan.c		which strategy with which parameters, loaded and checked
 *	search.c	a search; jobs.c runs it, judge.c says what came of it
 *	failure.c	one failing run: kept, replayed, saved, reported
 *	replay.c	a trace run again in a worker
 *	progress.c	the line on the terminal and the summary
 *	report.c	what a person reads about one failure (text)
 *	symbols.c	addresses to functions, files and lines (elfutils)
 *	stacks.c	stacks of a frozen run's tasks (elfutils)
 */
#ifndef EXPLORER_INTERNAL_H
#define EXPLORER_INTERNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "explorer/target/loaded.h"
#include "explorer/target/access.h"
#include "preload/region/control.h"
#include "base/errbuf.h"
#include "recorder/trace.h"
#include "explorer/target/ward.h"

/* -------------------------------------------------------------- target.c */

/* What to run and how; borrowed by workers for their life. */
struct target {
	char *program;		/* absolute path, after the PATH search */
	char **argv;
	char **env;		/* NULL: ours */
	char *cwd;		/* NULL: ours */
	char *stdin_path;	/* NULL: /dev/null */
	bool has_guard;		/* seccomp filter */
	const struct access_scope *scope;	/* NULL: watch no accesses */
	const char *tick_symbol;	/* --clock break; else NULL */
	uint64_t run_timeout_ms;	/* real time without any progress */
	const volatile sig_atomic_t *stop;	/* Ctrl-C ends a run; or NULL */
};

/*
 * Resolve argv[0] as execvp() would and check that the program can be run
 * under control: 64-bit, dynamically linked, not set-user-ID, a script through
 * its interpreter. `t` is filled with copies. Returns 0, or negative with
 * `err` filled and `t` empty.
 */
int target_init(struct target *t, char *const *argv, struct errbuf *err);

/*
 * The program that a run would have replaced itself with, in the place of `t`,
 * which keeps how it is to be run. Returns 0, or negative with `err` filled and
 * `t` as it was.
 */
struct control_exec;
int target_replace(struct target *t, const struct control_exec *e,
		   struct errbuf *err);

/* The same checks for a path that needs no search, without arguments. */
int target_check(const char *path, struct errbuf *err);

void target_release(struct target *t);

/* --------------------------------------------------------------- guard.c */

/* A filter that refuses what could harm the system, with EPERM. */
struct guard;

int guard_new(struct guard **out, enum ward_kind kind, struct errbuf *err);
/*
 * For this process, for ever. Async-signal-safe. Returns -errno, or 0; or, for
 * a plain ward, a descriptor for ward_send_listener().
 */
int guard_load(const struct guard *g);
void guard_free(struct guard *g);

/* -------------------------------------------------------------- worker.c */

struct worker;

/*
 * Start the target up to its main and hold it there, on processor `cpu`, or
 * anywhere when that is -1. `target` is borrowed until worker_free(). The
 * calling thread must live until then: the target dies with it. Returns 0; or
 * negative with `err` saying what is wrong (no runtime, ended before main,
 * ...): the caller exits with status 3.
 */
int worker_start(struct worker **out, const struct target *target,
		 const struct control_config *config, int cpu,
		 struct errbuf *err);

/* Whether addresses differ from start to start: no personality(). */
bool worker_has_aslr(const struct worker *w);

/* The n-th processor that we may use, starting over when there are fewer. */
int worker_choose_cpu(uint32_t n);
/* Keep the calling thread on that processor. -1: no-op. */
void worker_pin_self(int cpu);

/* Absolute path of the runtime, malloc'd; or NULL with `err` filled. */
char *worker_find_preload(struct errbuf *err);

/* What was instrumented; zero when nothing was. */
const struct access_stats *worker_access(const struct worker *w);

/* Code that its runs have loaded, unwatched. */
const struct loaded *worker_loaded(const struct worker *w);

/* The mapping; valid until worker_free(). */
struct control *worker_control(struct worker *w);

/*
 * Run once as control->config says, until the verdict. With CONTROL_F_INSPECT
 * `inspect` is called while the run is frozen (pid is the run's process).
 * Returns 0 with control->verdict filled (never NONE); -EINTR when
 * target->stop ended it; or another negative number with `err` when the zygote
 * died.
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

/* ---------------------------------------------------------------- plan.c */

struct options;

/* A strategy, found or loaded, with its parameters. */
struct plan {
	char *spec;		/* as typed */
	const struct explore_strategy *strategy;
	struct explore_setup setup;
	void *handle;		/* dlopen() of a plug-in, or NULL */
	char *plugin;		/* its absolute path, or NULL */
	struct control_clock clock;
	bool watches;		/* accesses: the clock is the soft one */
};

/*
 * Returns 0, or negative with `err` filled (unknown name or parameter, plug-in
 * that cannot be used): the caller exits with status 2.
 */
int plan_init(struct plan *p, const struct options *o, struct errbuf *err);
void plan_release(struct plan *p);

/*
 * Choose the clock: after plan_init(). Returns 0, or negative with `err`
 * filled: this machine does not have it (status 3).
 */
int plan_choose_clock(struct plan *p, const struct options *o,
		      struct errbuf *err);

/* What every run of this search is told; the run number is left 0. */
void plan_configure(const struct plan *p, const struct options *o,
		    struct control_config *config);

/*
 * Make the strategy's state in a worker's fresh region. Returns 0, or -E2BIG
 * with `err` filled.
 */
int plan_start(const struct plan *p, struct control *c, struct errbuf *err);

/* -------------------------------------------------------------- stacks.c */

/* The call stack of one task of a frozen run. */
#define STACK_MAX_FRAMES 64
struct stack {
	uint32_t task;
	uint32_t nr;
	bool is_exact;		/* pc[0] is the instruction it stands at */
	uint64_t pc[STACK_MAX_FRAMES];	/* others are return addresses */
};

/* ------------------------------------------------------------- failure.c */

/*
 * One run, kept: its trace and, for the report, the state of the scheduler
 * at its end. Everything is owned.
 */
struct failure {
	struct trace trace;
	struct sched_object *object;
	uint32_t nr_objects;
	struct sched_task *task;
	uint32_t nr_tasks;
	struct stack *stack;	/* of the live tasks; only after a replay */
	uint32_t nr_stacks;
	struct stack earlier;	/* the other access of a race, or no frames */
	char *output;
	size_t output_bytes;
	uint64_t place;		/* failure_place() */
};

/* Verdict and place, hashed: equal for what is likely the same bug. */
uint64_t failure_place(const struct control *c);

/* Keep the run that the worker has just finished. Build ids stay empty. */
struct failure *failure_new(struct worker *w, const struct target *target,
			    const struct plan *plan);
void failure_free(struct failure *f);

/*
 * Replay `*f` in `w`. When it does the same again, `*f` is replaced by that
 * run, with the stacks, and has_reproduced is set. Returns 0, or negative with
 * `err` when the worker failed.
 */
int failure_confirm(struct failure **f, struct worker *w,
		    const struct target *target, const struct plan *plan,
		    struct errbuf *err);

/* Save below `traces`; *path (malloc'd) says where. */
int failure_save(struct failure *f, const char *traces, char **path,
		 struct errbuf *err);

/* Print what a person wants to know. `path` NULL: it was not saved. */
void failure_report(FILE *out, const struct failure *f, const char *path);

/* -------------------------------------------------------------- replay.c */

/* The stacks of a run's live tasks, collected while it was frozen. */
struct replay_stacks {
	struct symbols *symbols;
	struct stack *stack;
	uint32_t nr;
};
void replay_stacks_release(struct replay_stacks *s);

/*
 * Run `t` again in `w`. Returns 0 with the outcome in the control region, or
 * as worker_run(). `stacks` (empty) may be NULL.
 */
int replay_run(struct worker *w, const struct trace *t,
	       struct replay_stacks *stacks, struct errbuf *err);

/*
 * The same with another way to look at the run while it is frozen at its end.
 * NULL: without.
 */
int replay_inspect(struct worker *w, const struct trace *t,
		   void (*look)(struct worker *w, pid_t pid, void *data),
		   void *data, struct errbuf *err);

/* An address in a module of the trace, in the process of `c`; 0: in none. */
uint64_t replay_address(const struct control *c, const struct trace *t,
			uint64_t addr);

/* Whether the outcome in `c` is the recorded one: verdict and digest. */
bool replay_is_same(const struct control *c, const struct trace *t);

/* Where and how it was not: "diverged at event 12: expected ..., got ...". */
void replay_explain(const struct control *c, const struct trace *t,
		    struct errbuf *text);

/* The module table of a region as a trace has it; owned by the caller. */
struct trace_module *replay_modules(const struct control *c,
				    const char *program, uint32_t *nr);
void replay_modules_free(struct trace_module *m, uint32_t nr);

/* -------------------------------------------------------------- search.c */

/*
 * Search for failures as the options say. Prints reports and the summary to
 * stdout, chat to stderr. Returns an enum exit_status; or SEARCH_FOLLOWS, with
 * nothing printed, when `target` is another program now, to be searched anew.
 */
#define SEARCH_FOLLOWS 256
int search_run(const struct options *o, struct target *target,
	       const struct plan *plan);

/* --------------------------------------------------------------- tally.c */

struct lesson;

/* How one run went, apart from its schedule. */
struct record {
	enum record_kind {
		RECORD_RAN = 0,
		RECORD_EXHAUSTED,	/* the strategy has no more to try */
		RECORD_STOPPED,		/* Ctrl-C */
		RECORD_BROKEN,		/* no control any more; see `err` */
	} kind;
	uint64_t run;
	uint64_t steps;
	uint64_t digest;
	uint32_t nr_tasks;
	uint32_t verdict;	/* enum control_verdict_kind */
	int32_t code;
	bool has_choices;	/* some point had more than one answer */
	/* Verdict EXEC: control->exec says all of what it would become. */
	bool is_followable;
	bool has_known_race;	/* met one that was reported as a failure */
	uint64_t place;		/* failure_place(), iff it failed */
	struct failure *failure;	/* kept for the report; or NULL */
	char *output;		/* with --show-output; or NULL */
	size_t output_bytes;
	struct lesson *lesson;	/* of the accesses; or NULL; owned */
	uint64_t nr_ops[EXPLORE_OP_NR];
	struct control_counters counters;
	struct errbuf err;
};

/* A set of numbers. */
struct set {
	uint64_t *slot;		/* 0: free */
	size_t capacity;	/* a power of two, or 0 */
	size_t nr;
};

/* Returns true when it was not yet in. */
bool set_add(struct set *s, uint64_t value);
bool set_has(const struct set *s, uint64_t value);
void set_release(struct set *s);

/* What a search has come to so far. */
struct tally {
	struct set digests;	/* distinct schedules */
	uint64_t runs;
	uint64_t steps;
	uint64_t max_steps;	/* longest schedule */
	uint32_t max_tasks;
	uint64_t failures;	/* failing runs */
	uint64_t distinct_failures;
	uint64_t over_limit;	/* runs cut off by --max-steps */
	uint64_t nr_ops[EXPLORE_OP_NR];
	struct control_counters counters;	/* summed */
	uint64_t start_ns;	/* real time */
	uint64_t paused_ns;	/* real time that went into reports */
	bool is_exhausted;
	bool is_interrupted;
	bool is_broken;		/* ended by an error, not by its budget */
};

void tally_add(struct tally *t, const struct record *r);

/* ------------------------------------------------ progress.c, summary.c */

struct progress {
	bool is_on;
	bool is_shown;		/* a line stands on the terminal */
	uint64_t next_ns;
	uint64_t start_ns;
};

/* Off when stderr is no terminal. */
void progress_init(struct progress *p, bool is_quiet);
/* Print the line, at most a few times a second. */
void progress_update(struct progress *p, const struct tally *t,
		     const struct options *o);
/* Take the line away, before anything else is printed. */
void progress_clear(struct progress *p);

void summary_print(FILE *out, const struct tally *t, const struct options *o,
		   const struct plan *plan, const char *program,
		   const char *covered);

/* ------------------------------------------------------------ subcommands */

int cmd_run(const struct options *o);
int cmd_record(const struct options *o);
int cmd_replay(const struct options *o);
int cmd_dump(const struct options *o);
int cmd_ls(const struct options *o);
int cmd_strategies(const struct options *o);
int cmd_doctor(const struct options *o);

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
	bool is_system;		/* in the C library or in a system header */
};

/*
 * Of several functions inlined at one address: the innermost that does not
 * stand in a system header. Describe a return address (is_return: look up pc - 1) or an exact one.
 * Strings are valid until symbols_free().
 */
void symbols_find(struct symbols *s, uint64_t pc, bool is_return,
		  struct symbol *out);

/* The name of the variable that `addr` lies in: "balance", "queue+16". */
bool symbols_variable(struct symbols *s, uint64_t addr, char *text,
		      size_t bytes);

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

/* Whether the variable at addr, or the part of it, is declared volatile. */
bool symbols_is_volatile(struct symbols *s, uint64_t addr);

/*
 * The first `size` bytes at addr, at most 16 of them known, as a C programmer
 * writes them: by the type of the variable there, when it is known.
 */
void symbols_value(struct symbols *s, uint64_t addr, const uint8_t *data,
		   uint32_t size, char *text, size_t bytes);

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
	const struct stack *earlier;	/* the other access of a race; or NULL */
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
