/* SPDX-License-Identifier: MIT */
/*
 * mutate_options.c - some ten thousand command lines put together from parts
 * of real ones, the same every time.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz_options.h"

#define NR_ROUNDS 20000

static const char *const parts[] = {
	"run", "record", "replay", "dump", "ls", "strategies", "doctor",
	"help", "--", "--budget", "--budget=1000", "30s", "1.5h", "-5", "0",
	"18446744073709551616", "1e9s", "--strategy", "pct:depth=3",
	"pct:depth=99999999999", "portfolio", "dfs:", "pb:bound=,", ":=",
	"./x.so:a=1", "random:seed=1", "--seed", "7", "--seed=0x10",
	"--jobs=4", "--jobs", "--max-steps=100", "--keep-going",
	"--ok-exit=3", "--ok-exit", "256", "--stdin", "file",
	"--show-output", "--no-guard", "--wake=any", "--wake", "first",
	"--json", "--quiet", "-h", "--help", "--version", "--no-such",
	"-", "", "./test", "--run-timeout=5s", "arg",
};

static uint64_t state = 0x9e3779b97f4a7c15ull;

/* xorshift64*, Vigna 2016. */
static uint64_t random_number(uint64_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dull >> 33) % below;
}

int main(void)
{
	unsigned int nr_accepted = 0;
	char text[1024];

	for (int i = 0; i < NR_ROUNDS; i++) {
		size_t used = 0;
		uint64_t nr = 1 + random_number(6);

		text[0] = '\0';
		for (uint64_t part = 0; part < nr; part++)
			used += (size_t)snprintf(text + used,
				sizeof(text) - used, "%s%s", part ? "\n" : "",
				parts[random_number(sizeof(parts) /
						    sizeof(*parts))]);
		if (used && random_number(2))
			text[random_number(used)] =
				(char)(1 + random_number(255));
		nr_accepted += (unsigned int)
			fuzz_options_one((const uint8_t *)text, used);
	}
	printf("%u of %d command lines accepted\n", nr_accepted, NR_ROUNDS);
	return nr_accepted > NR_ROUNDS / 100 &&
	       nr_accepted < NR_ROUNDS / 100 * 99 ? 0 : 1;
}
