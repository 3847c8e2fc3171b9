/* SPDX-License-Identifier: MIT */
/*
 * races.h - happens-before: which accesses are ordered, and which race.
 *
 * Vector clocks over tasks and synchronisation objects, and a shadow of the
 * memory that tasks touch, with epochs, as in Flanagan and Freund, "FastTrack"
 * (PLDI 2009), at byte granularity. It answers one question per access: does
 * it conflict with an earlier, unordered one?
 *
 * Rules of the answers:
 *   - no false alarm, as long as every order is told (fork, join, acquire,
 *     release, atomic accesses), and the end of every block and stack;
 *   - an access that races with a noted one is always found. Of one granule
 *     (8 bytes) up to 9 unordered accesses are kept; what does not fit loses
 *     the least useful one, in the same way in every run;
 *   - the answers depend on the calls only.
 *
 * Not seen here: that a plain store and a plain load were meant to be atomic,
 * when no atomic instruction ever touched the bytes. Compilers make release
 * stores and acquire loads of plain moves. Tell what is known by
 * races_make_atomic(); before a race counts, ask races_is_atomic() at the end
 * of the run.
 *
 * Same rules as scheduler.h: no malloc, no system call, no pointers in the
 * state, general registers only, one caller at a time. The state lies in
 * memory that starts zeroed for each run (fresh anonymous pages), so only what
 * is touched costs: 5 pages for a small run, then 2 bytes per byte of memory
 * that tasks touch, and 64 bytes per atomic variable or used lock.
 */
#ifndef SCHEDULER_RACES_H
#define SCHEDULER_RACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/scheduler.h"

struct races;

/* Bytes of the state, half a GiB, of address space: map it sparse. */
size_t races_bytes(void);

/* `r` is zeroed memory. Task 0 exists. */
void races_init(struct races *r);

/*
 * Further objects for orders that no object of the scheduler stands for, behind
 * all of its ids.
 */
#define RACES_NR_EXTRA 3u
#define RACES_MAX_OBJECTS (SCHED_MAX_OBJECTS + RACES_NR_EXTRA)

/* -------------------------------------------------- the order of things */

/*
 * What parent did so far happens before everything child does. Task ids are
 * below SCHED_MAX_TASKS. Before an id is used again: races_restart(). What its
 * former task did then happens before all that the new one does.
 */
void races_restart(struct races *r, uint32_t t);
void races_fork(struct races *r, uint32_t parent, uint32_t child);
/*
 * Everything `ended` did happens before what `task` does from now on. Any task
 * may learn of the end that way, any number of times.
 */
void races_join(struct races *r, uint32_t task, uint32_t ended);
/*
 * Release: what t did so far happens before whoever acquires `object` later.
 * Objects are those of the scheduler, by id. `release` replaces the object's
 * clock (an unlock by the only holder, which acquired it), `release_merge` adds
 * to it (semaphore post, barrier arrival, reader unlock, signal, futex wake).
 * A release also ends the task's epoch, so leave out those nobody can acquire.
 */
void races_acquire(struct races *r, uint32_t t, uint32_t object);
void races_release(struct races *r, uint32_t t, uint32_t object);
void races_release_merge(struct races *r, uint32_t t, uint32_t object);

/* ----------------------------------------------------------- the memory */

enum races_access {
	RACES_READ = 0,
	RACES_WRITE = 1,
	/*
	 * An atomic instruction: never races, acquires and releases the
	 * address's own clock. From then on plain accesses to these bytes
	 * count as atomic loads (acquire) and stores (release), for compilers
	 * make those of plain moves. So do the plain stores before, belatedly.
	 */
	RACES_ATOMIC = 2,
};

struct races_found {
	uint64_t addr;		/* first byte in conflict */
	uint32_t size;		/* bytes from there in the same conflict */
	uint32_t task, other_task;
	uint32_t site, other_site;	/* as given to races_access() */
	uint8_t is_write, other_is_write;
	uint8_t is_synchronising;	/* bytes are known as atomic: no race */
	/* Ordered, but not without atomic accesses: no race, in this run. */
	uint8_t is_shared;
};

/*
 * Note an access about to be made, of `size` bytes at any alignment; after the
 * acquire and before the release that belong to the same operation, if any.
 *
 * Returns true when it races with an earlier access: *found has the most
 * recent of those to the first byte's granule in question, and is_synchronising
 * 0. It is true again for each repetition. Otherwise returns true when there
 * are bytes known as atomic that another task used (one of the two uses being a
 * write), save before this task was forked: is_synchronising is 1, no race, but
 * the order of the two matters all the same. Else false and *found is left as
 * it was.
 */
bool races_access(struct races *r, uint32_t task, uint64_t addr, uint32_t size,
		  enum races_access how, uint32_t site,
		  struct races_found *found);

/*
 * The same, faster, for a caller that remembers what it was told: of an access
 * and its repetitions by the same site, with nobody else in between, only the
 * first may tell that it races. Also true with is_shared, for an access that is
 * ordered behind one it conflicts with, but only by what atomics order, and for
 * all later ones to this memory.
 */
bool races_access_news(struct races *r, uint32_t task, uint64_t addr,
		       uint32_t size, enum races_access how, uint32_t site,
		       struct races_found *found);

/*
 * The block was freed, unmapped or allocated, or became a new task's stack: its
 * history ends, and its bytes are not known as atomic any more.
 */
void races_forget(struct races *r, uint64_t addr, uint64_t bytes);

/*
 * Known from elsewhere (debug information, an earlier run): accesses to these
 * bytes are atomic, whatever the instruction.
 */
void races_make_atomic(struct races *r, uint64_t addr, uint32_t size);
/*
 * Whether an access of the task to these bytes, whatever its kind, is ordered
 * behind all that is noted about them, and none of them is atomic.
 */
bool races_is_settled(struct races *r, uint32_t task, uint64_t addr,
		      uint32_t size);

/* Whether any of the bytes is known as atomic. */
bool races_is_atomic(const struct races *r, uint64_t addr, uint32_t size);

/* ------------------------------------------------------------ its limits */

/*
 * Whether some memory (more than 128 MiB touched) or order had to be left out.
 * Races may be missed then; still none is invented.
 */
bool races_is_full(const struct races *r);
/* How many accesses, in whole or in part, were left out. */
uint64_t races_nr_lost(const struct races *r);

#endif /* SCHEDULER_RACES_H */
