/* SPDX-License-Identifier: MIT */
/*
 * internal.h - for the .c files of strategies/ only: random numbers, the
 * order in which choices are tried, text without a C library.
 */
#ifndef STRATEGIES_INTERNAL_H
#define STRATEGIES_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <explore/strategy.h>

/* ------------------------------------------------------- random numbers */

/*
 * SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
 * generators, OOPSLA 2014): eight bytes of state, every seed is good.
 */
struct strategy__rng {
	uint64_t state;
};

static inline uint64_t strategy__mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ull;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/*
 * A seed for part number `part` of what has this one. Mixed twice, so that
 * neighbouring numbers, of seeds and of parts, have nothing in common: a sum of
 * the two would give part 3 of seed 1 what part 0 of seed 4 gets.
 */
static inline uint64_t strategy__seed(uint64_t seed, uint64_t part)
{
	return strategy__mix(strategy__mix(seed + 0x9e3779b97f4a7c15ull) +
			     part);
}

/* A stream of its own for each (seed, run). */
static inline void strategy__rng_init(struct strategy__rng *rng, uint64_t seed,
				      uint64_t run)
{
	rng->state = strategy__seed(seed, run);
}

static inline uint64_t strategy__rng_next(struct strategy__rng *rng)
{
	rng->state += 0x9e3779b97f4a7c15ull;
	return strategy__mix(rng->state);
}

/* Uniform in [0, nr), exactly; nr >= 1. */
static inline uint32_t strategy__rng_below(struct strategy__rng *rng,
					   uint32_t nr)
{
	/*
	 * The high half of a product of a 32-bit number with nr; the first
	 * 2^32 mod nr values of the low half are one too many and redrawn.
	 */
	uint32_t excess = -nr % nr;
	uint64_t product;

	do
		product = (strategy__rng_next(rng) >> 32) * nr;
	while ((uint32_t)product < excess);
	return (uint32_t)(product >> 32);
}

/* --------------------------------------------------- questions and answers */

/* Parameter `i` of a search: as typed, or its preset. */
static inline uint64_t strategy__value(const struct explore_setup *setup,
				       const struct explore_param *param,
				       uint32_t i)
{
	return i < setup->nr_values ? setup->value[i] : param[i].preset;
}

static inline struct explore_decision strategy__answer(uint32_t index)
{
	return (struct explore_decision){ .index = index };
}

/*
 * Whether it makes tasks and brings them to their first operation. With these
 * in front, all of a crowd is there before any of it has done anything.
 */
static inline bool strategy__is_start(const struct explore_op *op)
{
	return op->kind == EXPLORE_OP_THREAD_CREATE ||
	       op->kind == EXPLORE_OP_THREAD_START;
}

/* ---------------------------------------------------------------- order.c */

/*
 * Whether the task that ran last could go on and does not give way by itself:
 * switching from it is a preemption. Counted as the scheduler counts them.
 */
static inline bool strategy__is_preemptible(const struct explore_point *point)
{
	return point->kind == EXPLORE_POINT_TASK && point->previous >= 0 &&
	       !(point->candidate[point->previous].flags &
		 EXPLORE_OP_F_YIELDS);
}

/*
 * The order in which dfs, pb and db try the answers of a point: `rank` 0 is
 * the default, then 1 .. nr - 1; each index has exactly one rank.
 *
 * TASK: the previous task when leaving it would be a preemption, then those
 * behind it in ascending order, starting over at the lowest; a previous task
 * that gives way comes last. So the defaults make the schedule of a round
 * robin without preemption. WAKE, VALUE: the index.
 */
uint32_t strategy__ranked(const struct explore_point *point, uint32_t rank);

/*
 * A hash of what is on offer, for telling whether a point reached again after
 * the same choices is the same point. Not of addresses.
 */
uint32_t strategy__fingerprint(const struct explore_point *point);

/* ----------------------------------------------------------------- text.c */

/* Builds a NUL-terminated line in a caller's buffer; cut off when full. */
struct strategy__text {
	char *at;		/* where the NUL is */
	size_t left;		/* bytes from it on, 0: no buffer at all */
};

/* Begin with the empty text. `bytes` may be 0. */
struct strategy__text strategy__text(char *buf, size_t bytes);

void strategy__add(struct strategy__text *t, const char *string);
void strategy__add_bytes(struct strategy__text *t, const char *p, size_t nr);
void strategy__add_u64(struct strategy__text *t, uint64_t value);
/* "1 run", "2 runs": `noun` in the singular, an s is put behind it. */
void strategy__add_count(struct strategy__text *t, uint64_t nr,
			 const char *noun);

/* strcmp() == 0 and strlen(): there is no C library in the target's copy. */
bool strategy__is_equal(const char *a, const char *b);
size_t strategy__length(const char *s);

/* -------------------------------------------------------------- bounded.c */

/*
 * The search that pb and db share: all schedules whose deviations from the
 * default schedule cost at most a bound, cheapest first, each exactly once.
 */
enum strategy__cost {
	STRATEGY__FREE,		/* no rank costs anything */
	STRATEGY__FLAT,		/* every rank but 0 costs one */
	STRATEGY__RISING,	/* rank r costs r */
};

struct strategy__bounded_ops {
	const char *noun;	/* what is counted: "preemption" */
	enum strategy__cost (*cost)(const struct explore_point *point);
};

/* Parameter 0 is the bound, 1 the memory in MiB. */
size_t strategy__bounded_bytes(const struct explore_setup *setup,
			       const struct explore_param *params);
void strategy__bounded_init(void *state, const struct explore_setup *setup,
			    const struct explore_param *params);
int strategy__bounded_begin(void *state, uint64_t run);
struct explore_decision
strategy__bounded_pick(void *state, const struct explore_point *point,
		       const struct strategy__bounded_ops *ops);
void strategy__bounded_end(void *state, const struct explore_outcome *outcome);
void strategy__bounded_describe(const void *state, char *text, size_t bytes,
				const struct strategy__bounded_ops *ops);

#endif /* STRATEGIES_INTERNAL_H */
