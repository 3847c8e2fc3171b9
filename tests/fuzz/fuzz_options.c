/* SPDX-License-Identifier: MIT */
/*
 * fuzz_options.c - bytes to a command line, and what must hold for any.
 */
#include "fuzz_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explorer/cli/options.h"
#include "strategies/strategies.h"

#define MAX_ARGUMENTS 64

static void check(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_options: %s\n", what);
	abort();
}

/* Exactly one of the two is set, and the text is there iff it failed. */
static void check_budget(const char *text)
{
	struct budget budget = { 0, 0 };
	struct errbuf err = ERRBUF_INIT;

	if (options_parse_budget(text, &budget, &err))
		check(err.text[0], "a budget failed without a word");
	else
		check(!err.text[0] && !budget.runs != !budget.time_ns,
		      "a budget is neither runs nor time");
}

/* Values stay within what the parameter allows. */
static void check_strategy(const char *text)
{
	char name[STRATEGIES_TEXT_BYTES], err[STRATEGIES_TEXT_BYTES];

	for (size_t i = 0; strategies_all()[i]; i++) {
		const struct explore_strategy *s = strategies_all()[i];
		struct explore_setup setup = { .max_steps = 1000,
					       .max_tasks = 100 };

		err[0] = '\0';
		if (strategies_parse(text, name, sizeof(name), &setup, s, err,
				     sizeof(err))) {
			check(err[0], "a strategy failed without a word");
			continue;
		}
		check(memchr(name, '\0', sizeof(name)) != NULL,
		      "a name without an end");
		check(setup.nr_values <= EXPLORE_MAX_PARAMS,
		      "too many values");
		for (uint32_t p = 0; p < setup.nr_values; p++)
			check(setup.value[p] >= s->param[p].min &&
			      setup.value[p] <= s->param[p].max,
			      "a value out of range");
	}
}

static int check_options(int argc, char **argv)
{
	struct errbuf err = ERRBUF_INIT;
	struct options o;

	memset(&o, 0x5a, sizeof(o));
	if (options_parse(&o, argc, argv, &err)) {
		check(err.text[0], "options failed without a word");
		return 0;
	}
	check(!err.text[0], "options succeeded with a complaint");
	check(o.command < COMMAND_NR, "no such command");
	check(o.nr_operands >= 0 && o.nr_operands < argc,
	      "operands from nowhere");
	check(!o.operand[o.nr_operands], "operands without an end");
	return 1;
}

int fuzz_options_one(const uint8_t *data, size_t bytes)
{
	char *text = malloc(bytes + 1);
	char *argv[MAX_ARGUMENTS + 2] = { (char *)(uintptr_t)"explore" };
	int argc = 1, accepted;

	check(text != NULL, "no memory");
	memcpy(text, data, bytes);
	text[bytes] = '\0';
	for (char *at = text; at && argc <= MAX_ARGUMENTS; argc++) {
		argv[argc] = at;
		at = strchr(at, '\n');
		if (at)
			*at++ = '\0';
	}
	argv[argc] = NULL;
	for (int i = 1; i < argc; i++) {
		check_budget(argv[i]);
		check_strategy(argv[i]);
	}
	accepted = check_options(argc, argv);
	free(text);
	return accepted;
}

#ifdef EXPLORE_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	fuzz_options_one(data, bytes);
	return 0;
}
#endif
