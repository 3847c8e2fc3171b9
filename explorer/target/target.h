/* SPDX-License-Identifier: MIT */
/*
 * target.h - what is to be run, and whether it can be.
 */
#ifndef EXPLORER_TARGET_TARGET_H
#define EXPLORER_TARGET_TARGET_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "explorer/target/access.h"

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

#endif /* EXPLORER_TARGET_TARGET_H */
