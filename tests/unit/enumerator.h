/* SPDX-License-Identifier: MIT */
/*
 * enumerator.h - small programs whose schedules can be counted, for tests.
 *
 * A model is a few tasks, each a list of operations on mutexes, semaphores,
 * event queues and plain objects. It can be run under a strategy, alone or on
 * top of the real scheduler, and its schedules can be enumerated by plain
 * recursion that uses neither strategies nor the scheduler. The tests compare.
 *
 * A schedule is the list of what was chosen at each point: the task at TASK and
 * WAKE points, the number at VALUE points. Points with one answer only are
 * part of it too. It is complete when no task can go on, by the end of all
 * or by a deadlock.
 */
#ifndef TESTS_UNIT_ENUMERATOR_H
#define TESTS_UNIT_ENUMERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <explore/strategy.h>

#define MODEL_MAX_TASKS 8
#define MODEL_MAX_OPS 24
#define MODEL_MAX_OBJECTS 8
#define MODEL_MAX_STEPS 96

enum model_kind {
	MODEL_END = 0,	/* so that programs end by themselves */
	MODEL_LOCK,
	MODEL_UNLOCK,
	MODEL_WAIT,	/* semaphore: value > 0, takes one */
	MODEL_POST,
	MODEL_SLEEP,	/* queue up at an event until woken: see RESUME */
	MODEL_WAKE,	/* wakes one sleeper of the event, a WAKE point */
	MODEL_READ,
	MODEL_WRITE,
	MODEL_YIELD,
	MODEL_CHOOSE,	/* a VALUE point with `arg` answers */
};

struct model_op {
	uint8_t kind;	/* enum model_kind */
	uint8_t arg;	/* object, below MODEL_MAX_OBJECTS; or a number */
};

struct model {
	uint32_t nr_tasks;
	uint8_t value[MODEL_MAX_OBJECTS];	/* semaphores at the start */
	struct model_op op[MODEL_MAX_TASKS][MODEL_MAX_OPS];
};

/* One complete schedule, and its cost. */
struct schedule {
	uint8_t length;
	uint8_t chosen[MODEL_MAX_STEPS];
	uint32_t nr_preemptions;
	uint32_t nr_delays;
	bool is_deadlock;
};

/* A growing list; start with { 0 }. */
struct schedules {
	struct schedule *at;
	size_t nr, max;
};

void schedules_add(struct schedules *list, const struct schedule *s);
void schedules_release(struct schedules *list);

/* By choices; the costs follow from them. */
void schedules_sort(struct schedules *list);

/* Number of entries (of a sorted list) that are equal to their successor. */
size_t schedules_count_doubles(const struct schedules *list);

/* Whether two sorted lists hold the same. */
bool schedules_are_equal(const struct schedules *a, const struct schedules *b);

/* ---------------------------------------------------------- enumeration */

/* All complete schedules, sorted. Uses no strategy. */
void model_enumerate(const struct model *m, struct schedules *out);

/* Those of `all` with at most that many preemptions, or delays. */
void schedules_filter(const struct schedules *all, uint32_t max_preemptions,
		      uint32_t max_delays, struct schedules *out);

/* --------------------------------------------------------- a strategy's */

/*
 * A strategy with its state in memory that is mapped twice, as in reality:
 * begin() and end() see it at one address, pick() at another.
 */
struct driver {
	const struct explore_strategy *strategy;
	struct explore_setup setup;
	void *tool;		/* begin, end, describe */
	void *target;		/* pick */
	size_t bytes;
	bool uses_scheduler;	/* run the model on the real scheduler */
	struct model_scheduler *scheduler;
	uint64_t run;		/* number of the next run */
};

/* `spec` is what follows --strategy. */
void driver_start(struct driver *d, const char *spec, uint64_t seed);
void driver_stop(struct driver *d);

/* One run. False: the strategy says the space is exhausted. */
bool driver_run(struct driver *d, const struct model *m, struct schedule *out);

/* Until exhausted or `max` runs; appended unsorted. True: exhausted. */
bool driver_run_all(struct driver *d, const struct model *m, size_t max,
		    struct schedules *out);

/* One pick() by itself, whose answer must be legal; begin() was called. */
uint32_t driver_pick(struct driver *d, const struct explore_point *point);

/* The same at a TASK point with these candidates; returns the task. */
uint32_t driver_pick_task(struct driver *d, uint64_t step, uint32_t previous,
			  const struct explore_op *op, uint32_t nr);

/* describe(), valid until the next call. */
const char *driver_describe(const struct driver *d);

#endif /* TESTS_UNIT_ENUMERATOR_H */
