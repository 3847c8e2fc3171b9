/* SPDX-License-Identifier: MIT */
/*
 * files.h - descriptors: which calls may block on them, and how to wait.
 */
#ifndef PRELOAD_FILES_H
#define PRELOAD_FILES_H

#include "preload/kernel/traps.h"

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
/* Both ends of it are in here, from now on. */
RUNTIME_HIDDEN void files_note_inside(int64_t fd);
RUNTIME_HIDDEN void files_note_inside_as(int64_t fd, uint32_t id);
RUNTIME_HIDDEN void files_copy_kind(int64_t to, uint64_t from);

/* What st_mode says a descriptor is of; FILES_NO_TYPE: it is none. */
enum files_type {
	FILES_TYPE_ANONYMOUS = 0,	/* eventfd and the like */
	FILES_TYPE_FIFO = 1,
	FILES_TYPE_DEVICE = 2,		/* S_IFCHR */
	FILES_TYPE_FOLDER = 4,
	FILES_TYPE_REGULAR = 8,
	FILES_TYPE_SOCKET = 12,
	FILES_NO_TYPE = 16,
	FILES_TYPE_MADE_UP = 32,	/* added: by the kernel, as in /proc */
};
RUNTIME_HIDDEN uint32_t files_type_of(uint64_t fd);
RUNTIME_HIDDEN uint32_t inputs_type_of(int fd);

/* ---------------------------------------------------------- the waiting */

enum files_wait_kind {
	WAIT_NONE,
	WAIT_FD,	/* events of fd */
	WAIT_POLL,	/* arg: as for poll(2) */
	WAIT_SELECT,	/* arg: as for select(2) */
	WAIT_CHILD,	/* arg: as for waitid(2) */
	WAIT_FUTEX,	/* arg: the word's address, and value */
	WAIT_QUERY,	/* is_ready() says so; it has no side effect */
	WAIT_CHANGE,	/* files_changes is no longer arg[0] */
};

/* What a task waits for. What it points to lives as long as it waits. */
struct files_wait_for {
	uint32_t kind;		/* enum files_wait_kind */
	int32_t fd;
	uint32_t events;
	bool has_result;	/* CHANGE: it was made meanwhile */
	uint64_t arg[4];
	int64_t result;
	const struct trap *trap;
	bool (*is_ready)(const struct files_wait_for *w);
	int64_t (*attempt)(const struct trap *t);
};

enum files_waited { FILES_READY = 0, FILES_TIMED_OUT = 1 };

/*
 * Announce the call in `t` as an operation of that kind and stop until what `w`
 * says is ready, or until the deadline (0: none). External: other processes may
 * change it, so time may really pass, and it is no deadlock. Returns enum
 * files_waited, or -EINTR after a signal.
 */
RUNTIME_HIDDEN int64_t files_wait(struct trap *t, struct files_wait_for *w,
				  uint16_t kind, uint32_t object,
				  bool is_external, uint64_t deadline);

/*
 * attempt(t) does not block but says -EAGAIN, and nothing tells when it would
 * do better: try (again) whenever another task has made a call that others can
 * see, and, when nobody can run, over and over. -EAGAIN after the deadline.
 */
RUNTIME_HIDDEN int64_t files_retry(struct trap *t,
				   int64_t (*attempt)(const struct trap *),
				   bool was_tried, uint32_t object,
				   bool is_external, uint64_t deadline);
/* Grows with each call that others may see. */
extern RUNTIME_HIDDEN uint64_t files_changes;

/* Make the call at its place in the order; it cannot block. */
RUNTIME_HIDDEN int64_t files_in_order(struct trap *t, uint64_t fd);
RUNTIME_HIDDEN uint32_t files_object(const struct trap *t, uint64_t fd);

/*
 * A relative time at an address of the target, its parts in units of so many
 * ns; *deadline is 0 without one. 0, -EFAULT or -EINVAL.
 */
RUNTIME_HIDDEN int64_t files_deadline(uint64_t addr, uint64_t unit_ns,
				      uint64_t *deadline);
/* The mask at that address, for the duration of the call. */
RUNTIME_HIDDEN int64_t files_swap_mask(uint64_t set, uint64_t bytes);
RUNTIME_HIDDEN int64_t files_restore_mask(int64_t result);

/* -------------------------------------------------------- transfers.c */

/* A call that moves bytes, of a descriptor that may block; see files_trap(). */
RUNTIME_HIDDEN int64_t transfers_make(struct trap *t, uint64_t fd,
				      int64_t flags);
/* Whether a read waits for a number of characters, and for some time. */
RUNTIME_HIDDEN bool transfers_is_raw_terminal(uint64_t fd);
RUNTIME_HIDDEN int64_t transfers_read_terminal(struct trap *t, uint64_t fd,
					       int64_t flags);

/* ------------------------------------------------------------- fifos.c */

/*
 * If the open in `t` is of a named pipe and may wait for the other side, make
 * it and store its result; else false. is_inside: a pipe that was made here.
 */
RUNTIME_HIDDEN bool fifos_open(struct trap *t, int64_t *result,
			       bool *is_inside);
/* A descriptor of such a pipe was opened. */
RUNTIME_HIDDEN void fifos_note(int64_t fd);

/* ------------------------------------------------------ order_calls.c */

/*
 * The call was made on a descriptor of that kind (and id, when inside), just
 * now: what it orders, by the flags of its row.
 */
RUNTIME_HIDDEN void order_call(const struct trap *t,
			       const struct trap_entry *e,
			       enum files_kind kind, uint32_t id);
/* The same of one more descriptor that the call was about, if it is inside. */
RUNTIME_HIDDEN void order_descriptor(const struct trap *t, uint64_t fd);
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
/*
 * The same for a read of any kind from a file or directory of the kernel's,
 * such as /proc/self/maps; false when the call is none.
 */
RUNTIME_HIDDEN bool inputs_answer(struct trap *t, int64_t *r);
RUNTIME_HIDDEN int64_t inputs_list(struct trap *t);
/* Whether it reads on in such a file: that is no operation of its own. */
RUNTIME_HIDDEN bool inputs_goes_on(const struct trap *t);
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
