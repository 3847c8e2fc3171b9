/* SPDX-License-Identifier: MIT */
/*
 * worker.h - one zygote and its control region; one run at a time.
 */
#ifndef EXPLORER_TARGET_WORKER_H
#define EXPLORER_TARGET_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/errbuf.h"
#include "explorer/target/access.h"
#include "explorer/target/loaded.h"
#include "explorer/target/target.h"
#include "preload/region/control.h"

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

/*
 * Its zygote is gone: start another in its place. The control region stays
 * where it is and is as worker_start() leaves it. Returns 0, or negative, and
 * then nothing has changed: as worker_start(), or -ESTALE when the target lies
 * elsewhere now.
 */
int worker_restart(struct worker *w, const struct control_config *config,
		   int cpu, struct errbuf *err);

/* Whether addresses differ from start to start: no personality(). */
bool worker_has_aslr(const struct worker *w);

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
 * target->stop ended it; -ECHILD with `err` when the zygote died, or the run
 * was killed from outside: another worker may do better; or another negative
 * number with `err`.
 */
int worker_run(struct worker *w,
	       void (*inspect)(struct worker *w, pid_t pid, void *data),
	       void *data, struct errbuf *err);

/*
 * A SIGKILL in the next run comes from a child of it, if it has any: it did so
 * before, or nobody could try again.
 */
void worker_expect_kill(struct worker *w);

/*
 * What the last run printed (stdout and stderr together); valid until the
 * next run.
 */
const char *worker_output(struct worker *w, size_t *bytes);

/* Quit the zygote and release everything. Accepts NULL. */
void worker_free(struct worker *w);

#endif /* EXPLORER_TARGET_WORKER_H */
