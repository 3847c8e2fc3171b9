/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_seeds.c - searches with neighbouring seeds have no run in
 * common.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "strategies/internal.h"
#include "strategies/strategies.h"

#define NR_SEEDS 48u
#define NR_RUNS 120u
#define NR_ANSWERS 5u
#define NR_CHOICES (1u << 20)

/* Those that draw numbers; run 0 of the portfolio draws none. */
static const char *const specs[] = {
	"portfolio", "random", "random:stay=8", "pct", "pos", "sites", "slices",
};

static const struct explore_strategy *start(const char *spec, uint64_t seed,
					    void **state)
{
	struct explore_setup setup = {
		.seed = seed, .max_steps = 1000, .max_tasks = 8,
	};
	const struct explore_strategy *s;
	char name[STRATEGIES_TEXT_BYTES], err[STRATEGIES_TEXT_BYTES];

	assert_int_equal(strategies_parse(spec, name, sizeof(name), &setup,
					  NULL, err, sizeof(err)), 0);
	s = strategies_find(name);
	assert_non_null(s);
	assert_int_equal(strategies_parse(spec, name, sizeof(name), &setup, s,
					  err, sizeof(err)), 0);
	*state = aligned_alloc(64, (s->state_bytes(&setup) + 127) &
					   ~(size_t)63);
	assert_non_null(*state);
	__builtin_memset(*state, 0, s->state_bytes(&setup));
	s->init(*state, &setup);
	return s;
}

/* The numbers that the run draws first. */
static uint64_t draw(const struct explore_strategy *s, void *state,
		     uint64_t run)
{
	struct explore_point point = {
		.kind = EXPLORE_POINT_VALUE, .nr = NR_CHOICES, .previous = -1,
	};
	uint64_t h = 0;

	assert_int_equal(s->begin(state, run), 1);
	for (; point.step < NR_ANSWERS; point.step++)
		h = h * 0x9e3779b97f4a7c15ull + s->pick(state, &point).index;
	return h;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void assert_distinct(uint64_t *value, size_t nr)
{
	qsort(value, nr, sizeof(*value), compare);
	for (size_t i = 1; i < nr; i++)
		assert_int_not_equal(value[i - 1], value[i]);
}

static void check(const char *spec, uint64_t first_seed)
{
	static uint64_t drawn[NR_SEEDS * NR_RUNS];
	size_t nr = 0;

	for (uint64_t seed = first_seed; seed < first_seed + NR_SEEDS; seed++) {
		void *state;
		const struct explore_strategy *s = start(spec, seed, &state);

		for (uint64_t run = 1; run <= NR_RUNS; run++)
			drawn[nr++] = draw(s, state, run);
		free(state);
	}
	assert_distinct(drawn, nr);
}

static void test_runs__are_different_for_neighbouring_seeds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		check(specs[i], 0);
		check(specs[i], UINT64_MAX - NR_SEEDS);
		check(specs[i], 0x9e3779b97f4a7c15ull);
	}
}

/* A seed and its parts: none is another one's, nor another one's part. */
static void test_seed__has_parts_of_its_own(void **state)
{
	static uint64_t value[200 * 201];
	size_t nr = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		value[nr++] = seed;
		for (uint64_t part = 0; part < 200; part++)
			value[nr++] = strategy__seed(seed, part);
	}
	assert_distinct(value, nr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs__are_different_for_neighbouring_seeds),
		cmocka_unit_test(test_seed__has_parts_of_its_own),
	};

	return cmocka_run_group_tests_name("strategy_seeds", tests, NULL, NULL);
}
