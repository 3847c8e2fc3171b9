/* SPDX-License-Identifier: MIT */
/*
 * enumerator.c - small programs whose schedules can be counted, for tests.
 *
 * The model's rules are written down once, here (struct world), for the
 * enumeration and for strategies alike; the run on top of the real scheduler
 * (model_scheduler.c) shares nothing with them.
 */
#include "tests/unit/enumerator.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "strategies/strategies.h"
#include "tests/unit/model_scheduler.h"

/* ----------------------------------------------------------------- lists */

void schedules_add(struct schedules *list, const struct schedule *s)
{
	if (list->nr == list->max) {
		list->max = list->max ? 2 * list->max : 64;
		list->at = realloc(list->at, list->max * sizeof(*list->at));
		assert_non_null(list->at);
	}
	list->at[list->nr++] = *s;
}

void schedules_release(struct schedules *list)
{
	free(list->at);
	*list = (struct schedules){ 0 };
}

static int compare(const void *a, const void *b)
{
	const struct schedule *x = a, *y = b;
	int order = memcmp(x->chosen, y->chosen,
			   x->length < y->length ? x->length : y->length);

	return order ? order : (int)x->length - (int)y->length;
}

void schedules_sort(struct schedules *list)
{
	if (list->nr)
		qsort(list->at, list->nr, sizeof(*list->at), compare);
}

size_t schedules_count_doubles(const struct schedules *list)
{
	size_t nr = 0;

	for (size_t i = 1; i < list->nr; i++)
		nr += !compare(&list->at[i - 1], &list->at[i]);
	return nr;
}

bool schedules_are_equal(const struct schedules *a, const struct schedules *b)
{
	if (a->nr != b->nr)
		return false;
	for (size_t i = 0; i < a->nr; i++)
		if (compare(&a->at[i], &b->at[i]))
			return false;
	return true;
}

void schedules_filter(const struct schedules *all, uint32_t max_preemptions,
		      uint32_t max_delays, struct schedules *out)
{
	for (size_t i = 0; i < all->nr; i++)
		if (all->at[i].nr_preemptions <= max_preemptions &&
		    all->at[i].nr_delays <= max_delays)
			schedules_add(out, &all->at[i]);
}

/* ----------------------------------------------------------------- world */

/* Where a model stands. Copied to go back. */
struct world {
	const struct model *m;
	uint8_t pc[MODEL_MAX_TASKS];
	uint8_t owner[MODEL_MAX_OBJECTS];	/* task + 1 */
	uint8_t value[MODEL_MAX_OBJECTS];
	uint8_t sleeps_at[MODEL_MAX_TASKS];	/* event + 1: not woken yet */
	/* Task that ran last; at the start task 0, as main in a target. */
	uint32_t last;
	/* A choice that the last operation left to be made. */
	enum explore_point_kind pending;	/* TASK: none */
	uint8_t pending_arg;	/* WAKE: the event. VALUE: nr of answers */
	struct schedule done;
};

static void world_init(struct world *w, const struct model *m)
{
	*w = (struct world){ .m = m };
	memcpy(w->value, m->value, sizeof(w->value));
}

static const struct model_op *next_op(const struct world *w, uint32_t t)
{
	return &w->m->op[t][w->pc[t]];
}

static bool is_enabled(const struct world *w, uint32_t t)
{
	const struct model_op *op = next_op(w, t);

	if (op->kind == MODEL_END || w->sleeps_at[t])
		return false;
	if (op->kind == MODEL_LOCK)
		return !w->owner[op->arg];
	if (op->kind == MODEL_WAIT)
		return w->value[op->arg] > 0;
	return true;
}

static bool is_alive(const struct world *w)
{
	for (uint32_t t = 0; t < w->m->nr_tasks; t++)
		if (next_op(w, t)->kind != MODEL_END || w->sleeps_at[t])
			return true;
	return false;
}

static void note(struct world *w, uint32_t chosen)
{
	assert_true(w->done.length < MODEL_MAX_STEPS);
	w->done.chosen[w->done.length++] = (uint8_t)chosen;
}

static uint32_t count_sleepers(const struct world *w, uint8_t event)
{
	uint32_t nr = 0;

	for (uint32_t t = 0; t < w->m->nr_tasks; t++)
		nr += w->sleeps_at[t] == event + 1;
	return nr;
}

static void wake_first(struct world *w, uint8_t event)
{
	for (uint32_t t = 0; t < w->m->nr_tasks; t++)
		if (w->sleeps_at[t] == event + 1) {
			w->sleeps_at[t] = 0;
			return;
		}
}

/* Carry out the next operation of t, up to a choice it may leave. */
static void execute(struct world *w, uint32_t t)
{
	const struct model_op *op = next_op(w, t);

	note(w, t);
	w->last = t;
	w->pc[t]++;
	switch (op->kind) {
	case MODEL_LOCK:
		w->owner[op->arg] = (uint8_t)(t + 1);
		break;
	case MODEL_UNLOCK:
		assert_int_equal(w->owner[op->arg], t + 1);
		w->owner[op->arg] = 0;
		break;
	case MODEL_WAIT:
		w->value[op->arg]--;
		break;
	case MODEL_POST:
		w->value[op->arg]++;
		break;
	case MODEL_SLEEP:
		w->sleeps_at[t] = (uint8_t)(op->arg + 1);
		break;
	case MODEL_WAKE:
		if (count_sleepers(w, op->arg) < 2) {
			wake_first(w, op->arg);
			break;
		}
		w->pending = EXPLORE_POINT_WAKE;
		w->pending_arg = op->arg;
		break;
	case MODEL_CHOOSE:
		if (op->arg < 2)
			break;
		w->pending = EXPLORE_POINT_VALUE;
		w->pending_arg = op->arg;
		break;
	}
}

/* Make the pending choice: wake that task, or take that number. */
static void decide(struct world *w, uint32_t chosen)
{
	note(w, chosen);
	if (w->pending == EXPLORE_POINT_WAKE)
		w->sleeps_at[chosen] = 0;
	w->pending = EXPLORE_POINT_TASK;
}

/* ----------------------------------------------------------- enumeration */

static bool is_voluntary(const struct world *w)
{
	return !is_enabled(w, w->last) ||
	       next_op(w, w->last)->kind == MODEL_YIELD;
}

/*
 * Turns that are skipped when t is next: those of the tasks that can run, from
 * the one whose turn it is (the last one's, if it must not give way) up to t.
 */
static uint32_t count_delays(const struct world *w, uint32_t t)
{
	uint32_t n = w->m->nr_tasks;
	uint32_t turn = w->last + is_voluntary(w);
	uint32_t nr = 0;

	for (; turn % n != t; turn++)
		nr += is_enabled(w, turn % n);
	return nr;
}

static void enumerate(struct world *w, struct schedules *out);

static void enumerate_choices(const struct world *w, struct schedules *out)
{
	uint32_t nr_skipped = 0;

	if (w->pending == EXPLORE_POINT_VALUE) {
		for (uint32_t i = 0; i < w->pending_arg; i++) {
			struct world next = *w;

			decide(&next, i);
			enumerate(&next, out);
		}
		return;
	}
	for (uint32_t t = 0; t < w->m->nr_tasks; t++) {
		struct world next = *w;

		if (w->sleeps_at[t] != w->pending_arg + 1)
			continue;
		next.done.nr_delays += nr_skipped++;
		decide(&next, t);
		enumerate(&next, out);
	}
}

static void enumerate(struct world *w, struct schedules *out)
{
	bool is_stuck = true;

	if (w->pending != EXPLORE_POINT_TASK) {
		enumerate_choices(w, out);
		return;
	}
	for (uint32_t t = 0; t < w->m->nr_tasks; t++) {
		struct world next = *w;

		if (!is_enabled(w, t))
			continue;
		is_stuck = false;
		next.done.nr_delays += count_delays(w, t);
		next.done.nr_preemptions += !is_voluntary(w) &&
					    w->last != t;
		execute(&next, t);
		enumerate(&next, out);
	}
	if (is_stuck) {
		w->done.is_deadlock = is_alive(w);
		schedules_add(out, &w->done);
	}
}

void model_enumerate(const struct model *m, struct schedules *out)
{
	struct world w;

	world_init(&w, m);
	enumerate(&w, out);
	schedules_sort(out);
}

/* ------------------------------------------------------ under a strategy */

static struct explore_op announced(const struct world *w, uint32_t t)
{
	static const struct {
		uint16_t kind, flags;
	} as[] = {
		[MODEL_LOCK] = { EXPLORE_OP_MUTEX_LOCK,
				 EXPLORE_OP_F_WRITES | EXPLORE_OP_F_BLOCKING },
		[MODEL_UNLOCK] = { EXPLORE_OP_MUTEX_UNLOCK,
				   EXPLORE_OP_F_WRITES },
		[MODEL_WAIT] = { EXPLORE_OP_SEM_WAIT,
				 EXPLORE_OP_F_WRITES | EXPLORE_OP_F_BLOCKING },
		[MODEL_POST] = { EXPLORE_OP_SEM_POST, EXPLORE_OP_F_WRITES },
		[MODEL_SLEEP] = { EXPLORE_OP_COND_WAIT, EXPLORE_OP_F_WRITES },
		[MODEL_WAKE] = { EXPLORE_OP_COND_SIGNAL, EXPLORE_OP_F_WRITES },
		[MODEL_READ] = { EXPLORE_OP_MEMORY_READ, 0 },
		[MODEL_WRITE] = { EXPLORE_OP_MEMORY_WRITE,
				  EXPLORE_OP_F_WRITES },
		[MODEL_YIELD] = { EXPLORE_OP_YIELD, EXPLORE_OP_F_YIELDS },
		[MODEL_CHOOSE] = { EXPLORE_OP_CHOOSE, 0 },
	};
	const struct model_op *op = next_op(w, t);
	bool has_object = op->kind != MODEL_YIELD && op->kind != MODEL_CHOOSE;

	return (struct explore_op){
		.kind = as[op->kind].kind,
		.flags = as[op->kind].flags,
		.task = t,
		.object = has_object ? op->arg + 1u : 0,
	};
}

uint32_t driver_pick(struct driver *d, const struct explore_point *point)
{
	bool is_legal;
	struct explore_decision decision =
		strategy_checked_pick(d->strategy, d->target, point, &is_legal);

	assert_true(is_legal);	/* so ticks are allowed, if there are any */
	return decision.index;
}

uint32_t driver_pick_task(struct driver *d, uint64_t step, uint32_t previous,
			  const struct explore_op *op, uint32_t nr)
{
	struct explore_point point = {
		.step = step,
		.nr = nr,
		.candidate = op,
		.previous = -1,
		.previous_task = previous,
	};

	for (uint32_t i = 0; i < nr; i++)
		if (op[i].task == previous)
			point.previous = (int32_t)i;
	return op[driver_pick(d, &point)].task;
}

static void ask_choice(struct driver *d, struct world *w)
{
	struct explore_op candidate[MODEL_MAX_TASKS];
	struct explore_point point = {
		.step = w->done.length,
		.kind = w->pending,
		.previous = -1,
		.previous_task = w->last,
	};

	if (w->pending == EXPLORE_POINT_VALUE) {
		point.nr = w->pending_arg;
		decide(w, driver_pick(d, &point));
		return;
	}
	point.candidate = candidate;
	for (uint32_t t = 0; t < w->m->nr_tasks; t++)
		if (w->sleeps_at[t] == w->pending_arg + 1)
			candidate[point.nr++] = announced(w, t);
	decide(w, candidate[driver_pick(d, &point)].task);
}

/* False: nobody can run. */
static bool ask_task(struct driver *d, struct world *w)
{
	struct explore_op candidate[MODEL_MAX_TASKS];
	struct explore_point point = {
		.step = w->done.length,
		.candidate = candidate,
		.previous = -1,
		.previous_task = w->last,
	};

	for (uint32_t t = 0; t < w->m->nr_tasks; t++) {
		if (!is_enabled(w, t))
			continue;
		if (w->last == t)
			point.previous = (int32_t)point.nr;
		candidate[point.nr++] = announced(w, t);
	}
	if (!point.nr)
		return false;
	execute(w, candidate[driver_pick(d, &point)].task);
	return true;
}

static void run_world(struct driver *d, const struct model *m,
		      struct schedule *out)
{
	struct world w;

	world_init(&w, m);
	for (;;) {
		if (w.pending != EXPLORE_POINT_TASK)
			ask_choice(d, &w);
		else if (!ask_task(d, &w))
			break;
	}
	w.done.is_deadlock = is_alive(&w);
	*out = w.done;
}

void driver_start(struct driver *d, const char *spec, uint64_t seed)
{
	char name[64], err[STRATEGIES_TEXT_BYTES];
	int fd;

	*d = (struct driver){
		.setup = {
			.seed = seed,
			.max_steps = MODEL_MAX_STEPS,
			.max_tasks = MODEL_MAX_TASKS,
		},
	};
	assert_int_equal(strategies_parse(spec, name, sizeof(name), NULL, NULL,
					  err, sizeof(err)), 0);
	d->strategy = strategies_find(name);
	assert_non_null(d->strategy);
	if (strategies_parse(spec, name, sizeof(name), &d->setup, d->strategy,
			     err, sizeof(err)))
		fail_msg("%s", err);
	d->bytes = d->strategy->state_bytes(&d->setup);
	assert_true(d->bytes > 0);
	fd = memfd_create("state", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)d->bytes), 0);
	d->tool = mmap(NULL, d->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       0);
	d->target = mmap(NULL, d->bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);
	assert_true(d->tool != MAP_FAILED && d->target != MAP_FAILED);
	close(fd);
	d->strategy->init(d->tool, &d->setup);
}

void driver_stop(struct driver *d)
{
	munmap(d->tool, d->bytes);
	munmap(d->target, d->bytes);
	model_scheduler_free(d->scheduler);
}

bool driver_run(struct driver *d, const struct model *m, struct schedule *out)
{
	struct explore_outcome outcome = { .run = d->run };

	if (!d->strategy->begin(d->tool, d->run))
		return false;
	d->run++;
	if (d->uses_scheduler && !d->scheduler)
		d->scheduler = model_scheduler_new(MODEL_MAX_STEPS);
	if (d->uses_scheduler)
		model_scheduler_run(d->scheduler, m, d->strategy, d->target,
				    out);
	else
		run_world(d, m, out);
	outcome.steps = out->length;
	outcome.nr_tasks = m->nr_tasks;
	outcome.failed = out->is_deadlock;
	if (d->strategy->end)
		d->strategy->end(d->tool, &outcome);
	return true;
}

bool driver_run_all(struct driver *d, const struct model *m, size_t max,
		    struct schedules *out)
{
	struct schedule s;

	while (max--) {
		if (!driver_run(d, m, &s))
			return true;
		schedules_add(out, &s);
	}
	return false;
}

const char *driver_describe(const struct driver *d)
{
	static char text[STRATEGIES_TEXT_BYTES];

	text[0] = '\0';
	if (d->strategy->describe)
		d->strategy->describe(d->tool, text, sizeof(text));
	return text;
}
