/* SPDX-License-Identifier: MIT */
/*
 * races_internal.h - for the races*.c files and their tests only.
 *
 *	races.c		an access: who did what to these bytes before
 *	races_clock.c	lines, vector clocks, fork, join, acquire, release
 *	races_firm.c	the order that no atomic access had a part in
 *	races_shadow.c	from addresses to granules; forgetting
 *	races_sync.c	bytes that are known as atomic
 *
 * Memory is cut into granules of 8 bytes, 128 of them to a unit. A hash table
 * leads from a unit's key (address / 1024) to its shadow. A granule has one
 * access (a cell) in place; the great majority never needs more. Further cells
 * and whatever else is rare hang off its link, in lines of 64 bytes:
 *
 *	link -> [sync line -> ...] [more line -> more line]
 *
 * Everything refers to everything else by index, and index 0 is "none". Line 0
 * is never handed out and stays zero, so looking through a missing line finds
 * zeroes; that saves the clocks' walks their tests for 0.
 *
 * Cells of a granule, from the most recent to the oldest, end with the first
 * whose mask is 0. Those behind are garbage. A byte is in the mask of cells or
 * in that of exactly one sync line, never both.
 *
 * Epochs. A task's own clock counts its releases, from 1. An access in epoch e
 * of task t is ordered before what u does now iff u's clock knows t at e or
 * later. As the epoch ends with the release, nobody can know t at its current
 * epoch; several rules below rest on that.
 */
#ifndef SCHEDULER_RACES_INTERNAL_H
#define SCHEDULER_RACES_INTERNAL_H

#include "scheduler/internal.h"
#include "scheduler/races/races.h"

#define RACES_GRANULE_SHIFT 3
#define RACES_UNIT_SHIFT 10
#define RACES_UNIT_GRANULES (1u << (RACES_UNIT_SHIFT - RACES_GRANULE_SHIFT))

/* User space ends below, five-level page tables included. */
#define RACES_MAX_ADDR (1ull << 57)

/* A bucket: the unit's key above its index. 0 is an empty bucket. */
#define RACES_UNIT_BITS 17
#define RACES_MAX_UNITS (1u << RACES_UNIT_BITS)	/* 128 MiB of memory */
#define RACES_MIN_BUCKETS 128u
#define RACES_MAX_BUCKETS (RACES_MAX_UNITS * 2u)
static_assert(57 - RACES_UNIT_SHIFT + RACES_UNIT_BITS <= 64, "bucket");

#define RACES_MAX_LINES (1u << 22)	/* 256 MiB */
/* Left over for clocks when accesses have used up the rest: 1 of these. */
#define RACES_LINE_RESERVE 8u

#define RACES_LINK_SYNC (1u << 31)	/* the link leads to a sync line */
#define RACES_MAX_MORE 2u		/* lines of cells a granule may have */
#define RACES_MORE_CELLS 4u
#define RACES_USERS 4u

enum races_cell_flags {
	RACES_CELL_WRITE = 1 << 0,
	/* Unordered with an older cell when it was made: look again. */
	RACES_CELL_RACED = 1 << 1,
	/* Has bytes of a cell that was evicted: others may lie between. */
	RACES_CELL_MERGED = 1 << 2,
	/*
	 * Two tasks have met here, without a firm order. The one that is left
	 * of their cells says it, for all that comes.
	 */
	RACES_CELL_SHARED = 1 << 3,
};

struct races_cell {
	uint32_t epoch;
	uint16_t task;
	uint8_t mask;		/* bytes of the granule; 0: no cell */
	uint8_t flags;		/* enum races_cell_flags */
	uint32_t site;
};

struct races_granule {
	struct races_cell first;
	uint32_t link;		/* a line; with RACES_LINK_SYNC a sync line */
};
static_assert(sizeof(struct races_granule) == 16, "four to a cache line");

struct races_unit {
	struct races_granule granule[RACES_UNIT_GRANULES];
};

/* More cells of a granule. */
struct races_more {
	struct races_cell cell[RACES_MORE_CELLS];
	uint32_t next;
	uint32_t reserved[3];
};

/* Bytes of a granule that became atomic together. */
struct races_sync {
	uint32_t next;		/* as races_granule.link */
	uint32_t clock;		/* 0: nothing released yet */
	uint8_t mask;		/* never 0 */
	uint8_t reserved[3];
	/*
	 * Who used them, most recent first; a mask of 0 ends it. One cell per
	 * task: mask and flags of all its uses, epoch and site of the last.
	 * Only the bytes in the sync line's mask count.
	 */
	struct races_cell user[RACES_USERS];
	uint32_t reserved2;
};

/*
 * A vector clock is a line: tasks 0 to 14 in place, then the root of a tree of
 * lines, by the three hex digits of the task's id. A digit's missing line
 * stands for zeroes. A clock of 10 tasks takes 64 bytes, one of 100 takes 576.
 */
#define RACES_CLOCK_INLINE 15u
#define RACES_CLOCK_ROOT 15u

union races_line {
	uint32_t word[16];	/* [0] links the free ones */
	uint64_t dword[8];
	struct races_more more;
	struct races_sync sync;
};
static_assert(sizeof(union races_line) == 64, "a cache line");
static_assert(SCHED_MAX_TASKS == 16 * 16 * 16, "three hex digits");

struct races_task {
	uint32_t clock;		/* 0: not seen yet */
	uint32_t epoch;		/* its clock's own entry, kept at hand */
	uint32_t parent;	/* task id + 1; 0: none known */
	uint32_t parent_epoch;	/* in which it was forked */
	uint32_t firm;		/* a clock, see races_firm.c; 0: the same */
};

struct races {
	uint32_t nr_tasks;	/* ids are below */
	uint32_t nr_buckets;	/* a power of two */
	uint32_t first_bucket;	/* of the table in use */
	uint32_t hash_shift;	/* 64 - log2(nr_buckets) */
	uint32_t nr_units;	/* indices 1 .. nr_units are in use */
	uint32_t max_units;	/* indices are below */
	uint32_t nr_lines;	/* indices 1 .. nr_lines were handed out once */
	uint32_t max_lines;	/* indices are below */
	uint32_t nr_lines_used;	/* of these, not free */
	uint32_t free_line;
	/*
	 * An order could not be noted. Everything from here on might be called
	 * a race wrongly, so nothing is.
	 */
	uint32_t is_blind;
	uint32_t last_unit;	/* that was looked up; 0: none yet */
	uint32_t has_firm;	/* a task or an object has a firm clock */
	uint64_t last_key;	/* of it */
	uint64_t nr_lost;
	uint64_t nr_evicted;	/* cells of granules that had too many */
	/* The header and the usual number of tasks share a page. */
	struct races_task task[SCHED_MAX_TASKS];
	uint32_t object_clock[RACES_MAX_OBJECTS + 1];
	uint32_t object_firm[RACES_MAX_OBJECTS + 1];	/* as that of tasks */
	/* Tables of 128, 256, ... buckets, each of which replaced the last. */
	uint64_t bucket[2 * RACES_MAX_BUCKETS - RACES_MIN_BUCKETS];
	_Alignas(4096) union races_line line[RACES_MAX_LINES];
	_Alignas(4096) struct races_unit unit[RACES_MAX_UNITS];
};

/* -------------------------------------------------------- races_clock.c */

/*
 * A zeroed line, or 0 when there is none. It leaves the last `keep` lines to
 * others.
 */
uint32_t races__line_new(struct races *r, uint32_t keep);
void races__line_free(struct races *r, uint32_t line);

/* Make the task known, with a clock of its own. */
void races__start(struct races *r, uint32_t t);
/* End the task's epoch. */
void races__tick(struct races *r, uint32_t t);

/* A new clock, all zero. Blind and 0 when there is no line. */
uint32_t races__clock_new(struct races *r);
void races__clock_free(struct races *r, uint32_t clock);
/* into = max(into, from), entry by entry. `into` is not 0. */
void races__clock_join(struct races *r, uint32_t into, uint32_t from);
void races__clock_set(struct races *r, uint32_t clock, uint32_t t,
		      uint32_t epoch);

static inline uint32_t races__clock_get(const struct races *r, uint32_t clock,
					uint32_t t)
{
	const union races_line *line = r->line;
	uint32_t at = clock;

	if (t < RACES_CLOCK_INLINE)
		return line[at].word[t];
	at = line[at].word[RACES_CLOCK_ROOT];
	at = line[at].word[t >> 8];
	at = line[at].word[t >> 4 & 15];
	return line[at].word[t & 15];
}

/* Whether the access happened before what `t` does now. */
static inline bool races__is_ordered(const struct races *r, uint32_t t,
				     const struct races_cell *c)
{
	return c->task == t ||
	       races__clock_get(r, r->task[t].clock, c->task) >= c->epoch;
}

/* into = from */
void races__clock_assign(struct races *r, uint32_t into, uint32_t from);

/* --------------------------------------------------------- races_firm.c */

/* Whether the access would come first without what atomics order. */
static inline bool races__is_firm(const struct races *r, uint32_t t,
				  const struct races_cell *c)
{
	return !r->task[t].firm || c->task == t ||
	       races__clock_get(r, r->task[t].firm, c->task) >= c->epoch;
}

/* ------------------------------------------------------- races_shadow.c */

/* The unit's index, made where there is none; 0 when there is no room. */
uint32_t races__unit_make(struct races *r, uint64_t key);
/* A bucket of the table in use. */
static inline uint32_t races__hash(const struct races *r, uint64_t key)
{
	return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> r->hash_shift);
}

/* The unit's index, or 0. */
static inline uint32_t races__unit_find(const struct races *r, uint64_t key)
{
	const uint64_t *bucket = r->bucket + r->first_bucket;
	uint32_t i = races__hash(r, key);

	while (bucket[i]) {
		if (bucket[i] >> RACES_UNIT_BITS == key)
			return bucket[i] & (RACES_MAX_UNITS - 1);
		i = (i + 1) & (r->nr_buckets - 1);
	}
	return 0;
}

/* -------------------------------------------------------------- races.c */

/* A walk over the slots for cells of a granule, the first one included. */
struct races_slots {
	struct races_cell *at;
	uint32_t left;		/* slots behind `at` in the same place */
	uint32_t more;		/* line to go on with */
	uint32_t nr_more;	/* lines walked into */
};

/* Where the lines with cells begin: behind the sync lines. */
static inline uint32_t *races__more_link(struct races *r,
					 struct races_granule *g)
{
	uint32_t *link = &g->link;

	while (*link & RACES_LINK_SYNC)
		link = &r->line[*link & ~RACES_LINK_SYNC].sync.next;
	return link;
}

static inline struct races_slots races__slots(struct races *r,
					      struct races_granule *g)
{
	return (struct races_slots){
		.at = &g->first - 1,
		.left = 1,
		.more = *races__more_link(r, g),
	};
}

static inline struct races_cell *races__next_slot(struct races *r,
						  struct races_slots *s)
{
	struct races_more *more;

	if (s->left) {
		s->left--;
		return ++s->at;
	}
	if (!s->more)
		return NULL;
	more = &r->line[s->more].more;
	s->more = more->next;
	s->left = RACES_MORE_CELLS - 1;
	s->nr_more++;
	s->at = more->cell;
	return s->at;
}

/* No cell of the granule has these bytes any more. */
void races__trim(struct races *r, struct races_granule *g, uint8_t mask);

/* --------------------------------------------------------- races_sync.c */

#endif /* SCHEDULER_RACES_INTERNAL_H */
