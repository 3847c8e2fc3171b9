/* SPDX-License-Identifier: MIT */
/*
 * test_races_random.c - random programs against the simple detector.
 *
 * As long as no granule had more cells than it can keep, each access must get
 * the same answer from both. After that, and where the detector is lenient on
 * purpose, it may miss races, but a race it reports must be one.
 */
#include "races_fixture.h"
#include "races_reference.h"

#define BASE (0x40000000ull - REF_BYTES / 2)	/* over the end of a unit */

enum object {
	OBJECT_MUTEX = 0,	/* 4 of them */
	OBJECT_RWLOCK = 4,	/* 2 */
	OBJECT_SEM = 6,		/* 2 */
	NR_OBJECTS = 8,
};

/* What a family of programs is like. */
struct shape {
	uint32_t nr_programs;
	uint32_t nr_tasks;	/* at most */
	uint32_t nr_ops;
	uint32_t nr_granules;	/* that it touches */
	uint32_t max_size;	/* of a plain access; all alignments if odd */
	uint32_t nr_sites;
	/* Variables of 4 bytes at the end of the region, atomic throughout. */
	uint32_t nr_atomics;
	bool is_late;		/* instead, any byte may become atomic */
	/* At least that share of the programs must fit, in percent. */
	uint32_t min_fits;
};

enum task_state {
	UNBORN,
	ALIVE,
	ENDED,
	JOINED,
};

struct program {
	const struct shape *shape;
	struct races *r;
	struct ref *ref;
	uint64_t random;
	enum task_state task[REF_TASKS];
	uint32_t owner[NR_OBJECTS];	/* task + 1 */
	uint32_t readers[NR_OBJECTS];	/* bits by task */
	uint32_t value[NR_OBJECTS];
	uint32_t nr_races;
};

static uint32_t any(struct program *p, uint32_t below)
{
	p->random += 0x9e3779b97f4a7c15ull;
	uint64_t x = p->random;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)((x ^ x >> 31) >> 32) % below;
}

static uint32_t any_in_state(struct program *p, enum task_state state)
{
	uint32_t n = p->shape->nr_tasks, from = any(p, n);

	for (uint32_t i = 0; i < n; i++)
		if (p->task[(from + i) % n] == state)
			return (from + i) % n;
	return UINT32_MAX;
}

/* ------------------------------------------------------ synchronisation */

static void acquire(struct program *p, uint32_t t, uint32_t object)
{
	races_acquire(p->r, t, object + 1);
	ref_acquire(p->ref, t, object);
}

static void merge(struct program *p, uint32_t t, uint32_t object)
{
	races_release_merge(p->r, t, object + 1);
	ref_merge(p->ref, t, object);
}

static void release(struct program *p, uint32_t t, uint32_t object)
{
	races_release(p->r, t, object + 1);
	ref_release(p->ref, t, object);
}

/* Lock the lock if it is free, unlock it if it is ours. */
static void use_lock(struct program *p, uint32_t t, uint32_t object)
{
	if (p->owner[object] == t + 1) {
		release(p, t, object);
		p->owner[object] = 0;
	} else if (!p->owner[object] && !p->readers[object]) {
		acquire(p, t, object);
		p->owner[object] = t + 1;
	}
}

static void use_read_lock(struct program *p, uint32_t t, uint32_t object)
{
	if (p->readers[object] >> (t % 32) & 1) {
		merge(p, t, object);
		p->readers[object] &= ~(1u << (t % 32));
	} else if (!p->owner[object]) {
		acquire(p, t, object);
		p->readers[object] |= 1u << (t % 32);
	}
}

static void use_sem(struct program *p, uint32_t t, uint32_t object)
{
	if (any(p, 2)) {
		merge(p, t, object);
		p->value[object]++;
	} else if (p->value[object]) {
		acquire(p, t, object);
		p->value[object]--;
	}
}

static void do_fork(struct program *p, uint32_t t)
{
	uint32_t child = any_in_state(p, UNBORN);

	if (child == UINT32_MAX)
		return;
	races_fork(p->r, t, child);
	ref_fork(p->ref, t, child);
	p->task[child] = ALIVE;
}

/* A task ends, or one that ended is joined. */
static void do_end(struct program *p, uint32_t t)
{
	uint32_t ended = any_in_state(p, ENDED);

	if (ended == UINT32_MAX) {
		if (t && !any(p, 4))
			p->task[t] = ENDED;
		return;
	}
	races_join(p->r, t, ended);
	ref_join(p->ref, t, ended);
	p->task[ended] = JOINED;
}

/* --------------------------------------------------------------- memory */

static bool is_exact(const struct program *p)
{
	return !p->r->nr_evicted && !p->shape->is_late;
}

static void check(struct program *p, uint32_t t, bool has,
		  const struct races_found *f)
{
	const struct ref *ref = p->ref;

	if (has && !f->is_synchronising) {
		assert_true(ref->has_race);
		p->nr_races++;
	}
	if (!is_exact(p))
		return;
	assert_int_equal(has && !f->is_synchronising, ref->has_race);
	assert_int_equal(has && f->is_synchronising,
			 ref->has_order && !ref->has_race);
	if (!has || f->is_synchronising)
		return;
	assert_true(f->size);
	for (uint32_t i = 0; i < f->size; i++)
		assert_true(ref_has_pair(ref, t,
					 (uint32_t)(f->addr - BASE) + i,
					 f->other_task, f->other_site,
					 f->other_is_write));
}

static void do_access(struct program *p, uint32_t t, uint32_t first,
		      uint32_t size, enum races_access how)
{
	uint32_t site = any(p, p->shape->nr_sites);
	struct races_found f;
	bool has = races_access(p->r, t, BASE + first, size, how, site, &f);

	ref_access(p->ref, t, first, size, how, site);
	check(p, t, has, &f);
}

static uint32_t plain_bytes(const struct program *p)
{
	return p->shape->nr_granules * 8;
}

/* Any place, or the places of variables of that size. */
static void any_range(struct program *p, uint32_t *first, uint32_t *size)
{
	uint32_t max = p->shape->max_size;

	*size = max & 1 ? 1 + any(p, max) : max;
	*first = any(p, plain_bytes(p) - *size + 1);
	if (!(max & 1))
		*first -= *first % max;
}

static void do_plain(struct program *p, uint32_t t)
{
	uint32_t first, size;

	any_range(p, &first, &size);
	do_access(p, t, first, size, any(p, 3) ? RACES_READ : RACES_WRITE);
}

static void do_atomic(struct program *p, uint32_t t)
{
	static const enum races_access how[] = {
		RACES_ATOMIC, RACES_READ, RACES_WRITE,
	};
	uint32_t first, size = 4;

	if (p->shape->is_late) {
		any_range(p, &first, &size);
		do_access(p, t, first, size, RACES_ATOMIC);
	} else if (p->shape->nr_atomics) {
		first = plain_bytes(p) + 4 * any(p, p->shape->nr_atomics);
		/* Sometimes with the plain bytes before. */
		if (first == plain_bytes(p) && !any(p, 4))
			do_access(p, t, first - 3, size + 3,
				  how[1 + any(p, 2)]);
		else
			do_access(p, t, first, size, how[any(p, 3)]);
	}
}

static void do_forget(struct program *p)
{
	uint32_t first = any(p, plain_bytes(p));
	uint32_t size = 1 + any(p, any(p, 2) ? 16 : plain_bytes(p));

	if (size > plain_bytes(p) - first)
		size = plain_bytes(p) - first;
	races_forget(p->r, BASE + first, size);
	ref_forget(p->ref, first, size);
}

/* -------------------------------------------------------------- programs */

static void step(struct program *p)
{
	uint32_t t = any_in_state(p, ALIVE), kind = any(p, 100);

	if (kind < 4)
		do_fork(p, t);
	else if (kind < 8)
		do_end(p, t);
	else if (kind < 24)
		use_lock(p, t, any(p, OBJECT_SEM));
	else if (kind < 30)
		use_read_lock(p, t, OBJECT_RWLOCK + any(p, 2));
	else if (kind < 35)
		use_sem(p, t, OBJECT_SEM + any(p, 2));
	else if (kind < 45)
		do_atomic(p, t);
	else if (kind < 47)
		do_forget(p);
	else
		do_plain(p, t);
}

static void start(struct program *p, uint64_t seed)
{
	const struct shape *shape = p->shape;

	*p = (struct program){ .shape = shape, .ref = p->ref,
			       .random = seed << 32 };
	memset(p->ref, 0, sizeof(*p->ref));
	p->r = rc_new();
	/* The simple one has no lazy start, but no need of one either. */
	p->task[0] = ALIVE;
	p->ref->task[0].at[0] = 1;
	for (uint32_t i = 0; i < shape->nr_atomics; i++)
		do_access(p, 0, plain_bytes(p) + 4 * i, 4, RACES_ATOMIC);
	for (uint32_t i = shape->nr_tasks / 2; i--;)
		do_fork(p, 0);
}

/* A store that was given up cannot order anything later. */
static bool goes_on(const struct program *p)
{
	return !p->shape->is_late || !p->r->nr_evicted;
}

static void run_shape(const struct shape *shape)
{
	struct program p = { .shape = shape };
	uint32_t nr_fits = 0, nr_races = 0;

	p.ref = malloc(sizeof(*p.ref));
	assert_non_null(p.ref);
	for (uint32_t i = 0; i < shape->nr_programs; i++) {
		start(&p, i + 1);
		for (uint32_t k = 0; k < shape->nr_ops && goes_on(&p); k++)
			step(&p);
		assert_false(races_is_full(p.r));
		nr_fits += !p.r->nr_evicted;
		nr_races += p.nr_races;
		rc_free(p.r);
	}
	free(p.ref);
	print_message("%u of %u programs fit, %u races\n", nr_fits,
		      shape->nr_programs, nr_races);
	assert_true(nr_fits * 100 >= shape->nr_programs * shape->min_fits);
	assert_true(nr_races > shape->nr_programs);
}

static void test_random__variables_of_a_few_tasks(void **state)
{
	(void)state;
	run_shape(&(struct shape){ .nr_programs = 700, .nr_tasks = 4,
				   .nr_ops = 150, .nr_granules = 4,
				   .max_size = 8, .nr_sites = 1000,
				   .nr_atomics = 6, .min_fits = 100 });
}

static void test_random__halves_of_two_tasks(void **state)
{
	(void)state;
	run_shape(&(struct shape){ .nr_programs = 700, .nr_tasks = 2,
				   .nr_ops = 150, .nr_granules = 3,
				   .max_size = 4, .nr_sites = 3,
				   .nr_atomics = 3, .min_fits = 99 });
}

static void test_random__any_bytes(void **state)
{
	(void)state;
	run_shape(&(struct shape){ .nr_programs = 700, .nr_tasks = 4,
				   .nr_ops = 120, .nr_granules = 40,
				   .max_size = 31, .nr_sites = 4,
				   .nr_atomics = 2, .min_fits = 95 });
}

static void test_random__many_tasks(void **state)
{
	(void)state;
	run_shape(&(struct shape){ .nr_programs = 150, .nr_tasks = REF_TASKS,
				   .nr_ops = 500, .nr_granules = 60,
				   .max_size = 8, .nr_sites = 1000,
				   .min_fits = 80 });
}

/* Cells run out all the time. */
static void test_random__too_many_cells(void **state)
{
	(void)state;
	run_shape(&(struct shape){ .nr_programs = 200, .nr_tasks = 20,
				   .nr_ops = 300, .nr_granules = 2,
				   .max_size = 7, .nr_sites = 1000,
				   .nr_atomics = 2 });
}

static void test_random__bytes_that_become_atomic(void **state)
{
	(void)state;
	run_shape(&(struct shape){ .nr_programs = 700, .nr_tasks = 4,
				   .nr_ops = 200, .nr_granules = 40,
				   .max_size = 8, .nr_sites = 1000,
				   .is_late = true, .min_fits = 100 });
	run_shape(&(struct shape){ .nr_programs = 700, .nr_tasks = 4,
				   .nr_ops = 200, .nr_granules = 30,
				   .max_size = 15, .nr_sites = 1000,
				   .is_late = true });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random__variables_of_a_few_tasks),
		cmocka_unit_test(test_random__halves_of_two_tasks),
		cmocka_unit_test(test_random__any_bytes),
		cmocka_unit_test(test_random__many_tasks),
		cmocka_unit_test(test_random__too_many_cells),
		cmocka_unit_test(test_random__bytes_that_become_atomic),
	};

	return cmocka_run_group_tests_name("races_random", tests, NULL, NULL);
}
