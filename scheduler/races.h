/* SPDX-License-Identifier: MIT */
/*
 * races.h - happens-before: which accesses are ordered, and which race.
 *
 * Vector clocks over tasks and synchronisation objects, and a shadow of the
 * memory that tasks touch, with epochs, as in Flanagan and Freund, "FastTrack"
 * (PLDI 2009), at byte granularity. It answers one question per access: does
 * it conflict with an earlier, unordered one?
 *
 * Same rules as scheduler.h: no malloc, no system call, no pointers in the
 * state, general registers only. The state lies in memory that starts zeroed
 * for each run (fresh anonymous pages), so only what is touched costs.
 */
#ifndef SCHEDULER_RACES_H
#define SCHEDULER_RACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct races;

/* Bytes of the state; mapped sparse. */
size_t races_bytes(void);

/* `r` is zeroed memory. Task 0 exists. */
void races_init(struct races *r);

/* -------------------------------------------------- the order of things */

/* What parent did so far happens before everything child does. */
void races_fork(struct races *r, uint32_t parent, uint32_t child);
/* Everything `ended` did happens before what `task` does from now on. */
void races_join(struct races *r, uint32_t task, uint32_t ended);
/*
 * Release: what t did so far happens before whoever acquires `object` later.
 * Objects are those of the scheduler, by id. `release` replaces the object's
 * clock (a mutex unlock), `release_merge` adds to it (semaphore post, barrier
 * arrival, reader unlock, signal, futex wake).
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
	 * make those of plain moves.
	 */
	RACES_ATOMIC = 2,
};

struct races_found {
	uint64_t addr;		/* first byte in conflict */
	uint32_t size;
	uint32_t task, other_task;
	uint32_t site, other_site;	/* as given to races_access() */
	uint8_t is_write, other_is_write;
	uint8_t is_synchronising;	/* bytes are known as atomic: no race */
	uint8_t reserved;
};

/*
 * Note an access about to be made. Returns true when it conflicts with an
 * earlier unordered one, the most recent of which is in *found; also when the
 * bytes are known as atomic and another task used them (is_synchronising): not
 * a race, but the order matters all the same.
 */
bool races_access(struct races *r, uint32_t task, uint64_t addr, uint32_t size,
		  enum races_access how, uint32_t site,
		  struct races_found *found);

/* The block was freed, unmapped or allocated: its history ends. */
void races_forget(struct races *r, uint64_t addr, uint64_t bytes);

#endif /* SCHEDULER_RACES_H */
