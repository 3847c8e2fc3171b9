/* SPDX-License-Identifier: MIT */
/*
 * files.h - descriptors: which calls may block on them, and how to wait.
 */
#ifndef PRELOAD_FILES_H
#define PRELOAD_FILES_H

#include "preload/traps.h"

/* What readiness a call in the table waits for; 0: it never blocks. */
enum files_wait { FILES_WAIT_NONE = 0, FILES_WAIT_IN = 1, FILES_WAIT_OUT = 2 };

trap_handler RUNTIME_HIDDEN files_make_pair, files_make_internal,
	files_make_outside, files_dup, files_close, files_close_range,
	files_open;

/* What a descriptor is, as far as this is known. */
enum files_kind {
	FILES_OTHER = 0,	/* what it leads to is outside, or unknown */
	FILES_INSIDE = 1,	/* a pipe or the like, all of it in here */
	FILES_REGULAR = 2,	/* files and folders */
	FILES_OUTPUT = 3,	/* what the tool prints */
	FILES_NAME = 4,		/* "comm" of the task that is its id */
	FILES_TASKS = 5,	/* the directory of tasks in /proc */
};
RUNTIME_HIDDEN enum files_kind files_kind_of(uint64_t fd);
/* The same number for all descriptors of what is inside. */
RUNTIME_HIDDEN uint32_t files_inside_id(uint64_t fd);

RUNTIME_HIDDEN void files_set_kind(int64_t fd, enum files_kind kind,
				   uint32_t id);

/* ------------------------------------------------------------- proc.c */

/*
 * Before a call that takes a path: true when it is answered here, with *r.
 * Else, if the path is below /proc and names a task, it names the carrier now.
 */
RUNTIME_HIDDEN bool proc_enter(struct trap *t, int64_t *r);
/* Before a call on a descriptor of kind FILES_NAME or FILES_TASKS. */
RUNTIME_HIDDEN bool proc_call(struct trap *t, enum files_kind kind, uint32_t id,
			      int64_t *r);

/* ------------------------------------------------------ order_calls.c */

/*
 * The call was made on a descriptor of that kind (and id, when inside), just
 * now: what it orders, by the flags of its row.
 */
RUNTIME_HIDDEN void order_call(const struct trap *t,
			       const struct trap_entry *e,
			       enum files_kind kind, uint32_t id);
/* A write found no room, so from now on writers see what readers did. */
RUNTIME_HIDDEN void order_note_full(void);
/* Before a child is made: it knows what the task did; others may ask it. */
RUNTIME_HIDDEN void order_show_all(void);
/* A signal is taken: what those did that may have sent it. */
RUNTIME_HIDDEN void order_take_signal(void);
/* Memory the kernel gave out anew. */
RUNTIME_HIDDEN void order_new_memory(uint64_t addr, uint64_t bytes);

/*
 * Task t waits for a futex word that other processes share, with that value:
 * wake it when the word changes. Until files_unwatch_word().
 */
RUNTIME_HIDDEN void files_watch_word(uint32_t t, uint64_t addr,
				     uint32_t value);
RUNTIME_HIDDEN void files_unwatch_word(uint32_t t);

/*
 * inputs.c: whether what a read of the descriptor gives comes from outside,
 * and the read (of arg[2] bytes to arg[1]) that records it, or repeats it.
 */
RUNTIME_HIDDEN bool inputs_is_outside(int fd);
RUNTIME_HIDDEN bool inputs_is_file(int fd);
RUNTIME_HIDDEN int64_t inputs_read(struct trap *t);
RUNTIME_HIDDEN void inputs_start_run(void);

/* Forget waits of an earlier run. */
RUNTIME_HIDDEN void files_reset(void);

/*
 * Stop until a child is waitable, as for waitid(idtype, id, ..., options).
 * Returns >= 0 when one is (or there is none), -EINTR after a signal.
 */
RUNTIME_HIDDEN int64_t files_wait_child(struct trap *t, uint64_t idtype,
					uint64_t id, uint64_t options);

#endif /* PRELOAD_FILES_H */
