/* SPDX-License-Identifier: MIT */
/*
 * test_strategy_plugin.c - the example plug-in, loaded as the tool loads it.
 *
 * Its path is the program's argument.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <dlfcn.h>
#include <cmocka.h>

#include "strategies/strategies.h"
#include "tests/unit/enumerator.h"

#define W(o) { MODEL_WRITE, o }
#define L(o) { MODEL_LOCK, o }
#define U(o) { MODEL_UNLOCK, o }

static const struct model three = {
	.nr_tasks = 3,
	.op = { { W(0), L(1), W(2), U(1), W(0), W(0) },
		{ W(0), L(1), W(2), U(1), W(0), W(0) },
		{ W(0), L(1), W(2), U(1), W(0), W(0) } },
};

static const char *path;
static const struct explore_strategy *plugin;

static int load(void **state)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	(void)state;
	if (!handle) {
		print_error("%s\n", dlerror());
		return -1;
	}
	plugin = dlsym(handle, EXPLORE_STRATEGY_SYMBOL);
	return plugin ? 0 : -1;
}

static void start(struct driver *d, const char *params, uint64_t seed)
{
	char name[512], err[STRATEGIES_TEXT_BYTES], spec[600] = "./x.so";

	strcat(spec, params);
	/* Made for another strategy, then given the plug-in's state. */
	driver_start(d, "random", seed);
	d->strategy = plugin;
	assert_int_equal(strategies_parse(spec, name, sizeof(name), &d->setup,
					  plugin, err, sizeof(err)), 0);
	assert_string_equal(name, "./x.so");
	assert_true(plugin->state_bytes(&d->setup) <= 4096);
	memset(d->tool, 0, d->bytes);
	plugin->init(d->tool, &d->setup);
}

static void test_plugin__keeps_the_abi(void **state)
{
	char text[STRATEGIES_TEXT_BYTES];

	(void)state;
	assert_int_equal(strategies_check_abi(plugin, text, sizeof(text)), 0);
	assert_string_equal(plugin->name, "latecomer");
}

static void test_plugin__repeats_itself_with_a_seed(void **state)
{
	struct schedules list[3] = { { 0 } };

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct driver d;

		start(&d, ":tasks=3,points=20", i / 2);
		assert_false(driver_run_all(&d, &three, 100, &list[i]));
		driver_stop(&d);
	}
	assert_true(schedules_are_equal(&list[0], &list[1]));
	assert_false(schedules_are_equal(&list[0], &list[2]));
	for (uint32_t i = 0; i < 3; i++)
		schedules_release(&list[i]);
}

/* With a release at step 0, the victim runs to its end where it can. */
static void test_plugin__releases_its_victim(void **state)
{
	uint32_t nr_first[3] = { 0 };
	struct driver d;
	struct schedule s;

	(void)state;
	start(&d, ":tasks=3,points=1", 5);
	while (d.run < 300) {
		assert_true(driver_run(&d, &three, &s));
		for (uint32_t i = 1; i < 6; i++)
			assert_int_equal(s.chosen[i], s.chosen[0]);
		nr_first[s.chosen[0]]++;
	}
	for (uint32_t i = 0; i < 3; i++)
		assert_in_range(nr_first[i], 60, 140);
	driver_stop(&d);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plugin__keeps_the_abi),
		cmocka_unit_test(test_plugin__repeats_itself_with_a_seed),
		cmocka_unit_test(test_plugin__releases_its_victim),
	};

	if (argc != 2)
		return 99;
	path = argv[1];
	return cmocka_run_group_tests_name("strategy_plugin", tests, load,
					   NULL);
}
