/* SPDX-License-Identifier: MIT */
/*
 * statistics.c - what instrument/ makes of files: how many sites, how many of
 * them a jump reaches, and what was left out. One line per file.
 *
 *	plan-statistics FILE...
 *	plan-statistics --reasons FILE		one line per reason
 */
#include <stdio.h>
#include <string.h>

#include "instrument/instrument.h"

#define CODE_BYTES (256ULL << 20)

static void show(const char *path, bool with_reasons)
{
	struct instrument_input in = {
		.path = path,
		.bias = 0x555555554000,
		.code_base = 0x555540000000,
		.entry_slot = 0x555540000000,
		.code_bytes = CODE_BYTES,
		.max_sites = UINT32_MAX,
		.has_tsc = true,
	};
	struct instrument_plan plan = { 0 };
	struct errbuf err = ERRBUF_INIT;
	const char *name = strrchr(path, '/');
	uint32_t nr_other = 0;

	if (instrument_plan(&in, &plan, &err) < 0) {
		printf("%-24s %s\n", path, err.text);
		return;
	}
	for (int i = INSTRUMENT_SKIP_FRAME + 1; i < INSTRUMENT_SKIP_NR; i++)
		nr_other += plan.skipped[i];
	if (with_reasons) {
		for (int i = 0; i < INSTRUMENT_SKIP_NR; i++)
			if (plan.skipped[i])
				printf("%u %s\n", plan.skipped[i],
				       instrument_skip_text(i));
		if (plan.has_no_ranges)
			printf("no functions in .eh_frame\n");
		printf("%u sites\n", plan.nr_sites - plan.nr_tsc);
		if (plan.nr_tsc)
			printf("%u time stamps by jump\n", plan.nr_tsc);
		instrument_plan_release(&plan);
		return;
	}
	printf("%-24.24s %8u %8u %8u %5.1f%% %8u %8u %9lu\n",
	       name ? name + 1 : path, plan.nr_sites, plan.nr_jumps,
	       plan.nr_int3, plan.nr_sites ? 100.0 * plan.nr_jumps /
					     plan.nr_sites : 0,
	       plan.skipped[INSTRUMENT_SKIP_FRAME], nr_other,
	       (unsigned long)plan.code_bytes);
	instrument_plan_release(&plan);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--reasons")) {
		show(argv[2], true);
		return 0;
	}
	printf("%-24s %8s %8s %8s %6s %8s %8s %9s\n", "file", "sites", "jump",
	       "int3", "jump", "frame", "other", "bytes");
	for (int i = 1; i < argc; i++)
		show(argv[i], false);
	return 0;
}
