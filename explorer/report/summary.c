/* SPDX-License-Identifier: MIT */
/*
 * summary.c - what a search says at its end: what was tried, how far that
 * goes, and what was out of its control.
 */
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "explorer/report/report.h"
#include "explorer/report/summary.h"
#include "explorer/target/replay.h"
#include "explorer/target/sanitizer.h"
#include "recorder/names.h"

#define MIN_RUNS_FOR_RATE 10	/* fewer say nothing */
#define MAX_KINDS 6		/* operations and system calls listed */

static const char *plural(uint64_t nr)
{
	return nr == 1 ? "" : "s";
}

static void print_counts(FILE *out, const struct tally *t,
			 const struct options *o, const char *program)
{
	uint64_t spent_ns = now_ns() - t->start_ns - t->paused_ns;
	double seconds = (double)spent_ns / 1e9;

	fprintf(out, "%llu run%s of '%s', %zu distinct schedule%s, ",
		(unsigned long long)t->runs, plural(t->runs), program,
		t->digests.nr, plural(t->digests.nr));
	if (t->is_broken && !t->failures)
		fputs("ended by an error", out);
	else if (!t->failures)
		fputs("no failure found", out);
	else if (!o->is_keep_going)
		fputs("failure found", out);
	else
		fprintf(out, "%llu failed, %llu distinct failure%s",
			(unsigned long long)t->failures,
			(unsigned long long)t->distinct_failures,
			plural(t->distinct_failures));
	if (t->is_interrupted)
		fputs(" (interrupted)", out);
	fputc('\n', out);
	if (!t->runs)
		return;
	fputs("  ", out);
	if (t->runs >= MIN_RUNS_FOR_RATE)
		fprintf(out, "%.0f runs/s; ", (double)t->runs / seconds);
	fprintf(out, "longest schedule %llu operation%s, up to %u task%s\n",
		(unsigned long long)t->max_steps, plural(t->max_steps),
		t->max_tasks, plural(t->max_tasks));
}

struct ranked {
	uint64_t count;
	int id;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->id - y->id;
}

static void print_operations(FILE *out, const struct tally *t)
{
	struct ranked row[EXPLORE_OP_NR];
	uint64_t rest = 0;

	for (int i = 0; i < EXPLORE_OP_NR; i++)
		row[i] = (struct ranked){ t->nr_ops[i], i };
	qsort(row, EXPLORE_OP_NR, sizeof(row[0]), compare_ranked);
	fprintf(out, "  %llu operations", (unsigned long long)t->steps);
	for (int i = 0; i < EXPLORE_OP_NR && row[i].count; i++) {
		if (i >= MAX_KINDS) {
			rest += row[i].count;
			continue;
		}
		fprintf(out, "%s%llu %s", i ? ", " : ": ",
			(unsigned long long)row[i].count,
			trace_op_name((enum explore_op_kind)row[i].id));
	}
	if (rest)
		fprintf(out, ", %llu others", (unsigned long long)rest);
	fputc('\n', out);
}

static void print_coverage(FILE *out, const struct tally *t,
			   const struct plan *plan, const char *covered)
{
	fprintf(out, "  strategy %s, seed %llu: ", plan->spec,
		(unsigned long long)plan->setup.seed);
	if (t->is_exhausted && (t->over_limit || t->counters.turns))
		fprintf(out, "exhausted but for schedules beyond a limit%s%s\n",
			*covered ? ": " : "", covered);
	else if (t->is_exhausted)
		fprintf(out, "exhausted%s%s\n", *covered ? ", " : "", covered);
	else if (*covered)
		fprintf(out, "%s\n", covered);
	else
		fputs("a sample, not all schedules\n", out);
	if (t->over_limit)
		fprintf(out, "  %llu run%s cut off by --max-steps\n",
			(unsigned long long)t->over_limit,
			plural(t->over_limit));
	if (t->is_exhausted && t->counters.turns)
		fprintf(out, "  %llu time%s a starved task was let in\n",
			(unsigned long long)t->counters.turns,
			plural(t->counters.turns));
}

/* Kinds of calls, the most frequent first. */
static void print_calls(FILE *out, const char *what, const uint32_t *count)
{
	struct ranked row[CONTROL_MAX_SYSCALLS];
	uint64_t rest = 0;
	char *name;

	for (int i = 0; i < CONTROL_MAX_SYSCALLS; i++)
		row[i] = (struct ranked){ count[i], i };
	qsort(row, CONTROL_MAX_SYSCALLS, sizeof(row[0]), compare_ranked);
	if (!row[0].count)
		return;
	fprintf(out, "  %s: ", what);
	for (int i = 0; i < CONTROL_MAX_SYSCALLS && row[i].count; i++) {
		if (i >= MAX_KINDS) {
			rest += row[i].count;
			continue;
		}
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64,
							row[i].id);
		fprintf(out, "%s%llu %s", i ? ", " : "",
			(unsigned long long)row[i].count, name ? name : "?");
		free(name);
	}
	if (rest)
		fprintf(out, ", %llu others", (unsigned long long)rest);
	fputc('\n', out);
}

/* A detector that has no room left must not look as if all were well. */
static void print_blind(FILE *out, const struct control_counters *c)
{
	if (c->races_lost)
		fprintf(out, "  NOT ALL SEEN: in %llu run%s the race detector "
			"ran out of room; races may be missing\n",
			(unsigned long long)c->races_lost,
			plural(c->races_lost));
	if (c->freed_lost)
		fprintf(out, "  NOT ALL SEEN: in %llu run%s freed memory was "
			"more than can be followed; uses of it may be "
			"missing\n", (unsigned long long)c->freed_lost,
			plural(c->freed_lost));
}

/* All runs share it, and one finds what the one before left there. */
static void print_carried(FILE *out, uint64_t carried)
{
	static const struct {
		uint64_t bit;
		const char *what;
	} row[] = {
		{ CONTROL_CARRIED_OTHERS, "sockets, inotify or the like" },
		{ CONTROL_CARRIED_MEMORY, "shared memory (too large, or not "
					  "writable)" },
		{ CONTROL_CARRIED_SEALS, "seals of a memfd" },
		{ CONTROL_CARRIED_CHILDREN, "descriptors shared with child "
					    "processes" },
		{ CONTROL_CARRIED_SHM, "/dev/shm (too much is in it, or the "
				       "program itself)" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (carried & row[i].bit)
			fprintf(out, "  NOT EACH RUN'S OWN, from before main: "
				"%s; a run finds what the one before left\n",
				row[i].what);
}

static void print_escapes(FILE *out, const struct control_counters *c)
{
	const struct {
		uint64_t count;
		const char *what;
	} row[] = {
		{ c->forks, "child processes, run uncontrolled" },
		{ c->execs, "programs executed, run uncontrolled" },
		{ c->raw_threads, "kernel threads that escaped control" },
		{ c->shared_maps, "writable mappings shared with others" },
		{ c->io_uring, "uses of io_uring" },
		{ c->real_waits, "waits for the world outside" },
		{ c->inputs_lost, "inputs too many to record" },
		{ c->listeners, "seccomp listeners, refused" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (row[i].count)
			fprintf(out, "  not controlled: %llu %s\n",
				(unsigned long long)row[i].count,
				row[i].what);
	print_blind(out, c);
}

static void print_refusals(FILE *out, const struct search_end *end)
{
	struct symbols *symbols;
	struct trace_module *m;
	uint32_t nr;

	if (!end->tally->counters.denied)
		return;
	m = replay_modules(end->control, end->path, &nr);
	symbols = symbols_new(m, nr);
	refusals_print(out, &end->tally->counters, m, nr, symbols);
	replay_modules_free(m, nr);
	symbols_free(symbols);
}

/* Which accesses were watched, which were not, and what raced. */
static void print_accesses(FILE *out, const struct search_end *end)
{
	uint32_t nr_pairs = end->nr_atomic_pairs;

	if (!end->scope)
		return;
	access_print_stats(out, end->accesses, end->control, end->nr_live);
	loaded_print(out, end->loaded);
	if (nr_pairs)
		fprintf(out, "  %u pair%s of accesses no data race: they are "
			"to atomic variables\n", nr_pairs, plural(nr_pairs));
	if (end->races && end->symbols)
		report_races(out, end->races, end->symbols, end->scope);
}

void summary_print(FILE *out, const struct search_end *end)
{
	const struct sanitizer *sanitizer = sanitizer_of(end->program);
	const struct tally *t = end->tally;

	print_counts(out, t, end->options, end->program);
	if (t->runs)
		print_operations(out, t);
	print_coverage(out, t, end->plan, end->covered);
	if (sanitizer)
		fprintf(out, "  not looked for: %s\n", sanitizer->what);
	print_escapes(out, &t->counters);
	print_carried(out, t->counters.carried);
	print_refusals(out, end);
	/* No replay can repeat their results. */
	print_calls(out, "passed to the kernel, not recorded",
		    t->counters.passed);
	print_accesses(out, end);
	fflush(out);
}
