/* SPDX-License-Identifier: MIT */
/*
 * refusals.c - what the guard refused: which call, of whom, and where.
 */
#include <seccomp.h>
#include <stdlib.h>

#include "explorer/report/describe.h"
#include "explorer/report/summary.h"
#include "explorer/report/report.h"

static void print_who(FILE *f, const struct control_refusal *r,
		      const struct trace_module *module, uint32_t nr_modules,
		      struct symbols *symbols)
{
	char place[DESCRIBE_BYTES];
	struct symbol symbol;
	uint64_t pc;

	fprintf(f, " by T%u", r->task);
	if (!symbols || r->module >= nr_modules)
		return;
	pc = module[r->module].start + r->offset;
	symbols_find(symbols, pc, true, &symbol);
	describe_symbol(&symbol, pc, place, sizeof(place));
	if (place[0])
		fprintf(f, " in %s", place);
}

static const struct control_refusal *
find_first(const struct control_counters *c, uint32_t number)
{
	for (uint64_t i = 0; i < c->nr_refusals && i < CONTROL_MAX_REFUSALS;
	     i++)
		if (c->refusal[i].number == number)
			return &c->refusal[i];
	return NULL;
}

void refusals_print(FILE *f, const struct control_counters *c,
		    const struct trace_module *module, uint32_t nr_modules,
		    struct symbols *symbols)
{
	for (uint32_t i = 0; i < CONTROL_MAX_SYSCALLS; i++) {
		const struct control_refusal *first = find_first(c, i);
		char *name;

		if (!c->refused[i])
			continue;
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64,
							(int)i);
		fprintf(f, "  refused by explore's guard: %s",
			name ? name : "?");
		free(name);
		if (first)
			print_who(f, first, module, nr_modules, symbols);
		if (c->refused[i] > 1)
			fprintf(f, ", %u times", c->refused[i]);
		fputs("; --no-guard lets it\n", f);
	}
}
