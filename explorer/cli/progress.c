/* SPDX-License-Identifier: MIT */
/*
 * progress.c - the line on the terminal while a search runs.
 *
 * On stderr, and only when that is a terminal: nothing of it gets into a
 * pipe or a log.
 */
#include "explorer/cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

#define INTERVAL_NS 200000000ull

void progress_init(struct progress *p, bool is_quiet)
{
	const char *term = getenv("TERM");

	memset(p, 0, sizeof(*p));
	p->is_on = !is_quiet && isatty(STDERR_FILENO) &&
		   (!term || strcmp(term, "dumb"));
	p->start_ns = now_ns();
	p->next_ns = p->start_ns + INTERVAL_NS;
}

static void format_left(char *text, size_t bytes, const struct tally *t,
			const struct options *o, uint64_t elapsed_ns)
{
	uint64_t left;

	if (o->budget.runs) {
		left = o->budget.runs > t->runs ? o->budget.runs - t->runs : 0;
		snprintf(text, bytes, "%llu runs left",
			 (unsigned long long)left);
	} else {
		left = o->budget.time_ns > elapsed_ns ?
		       o->budget.time_ns - elapsed_ns : 0;
		snprintf(text, bytes, "%llu s left",
			 (unsigned long long)(left / 1000000000u));
	}
}

void progress_update(struct progress *p, const struct tally *t,
		     const struct options *o)
{
	uint64_t now, elapsed_ns;
	char left[48];

	if (!p->is_on)
		return;
	now = now_ns();
	if (now < p->next_ns)
		return;
	p->next_ns = now + INTERVAL_NS;
	elapsed_ns = now - p->start_ns;
	format_left(left, sizeof(left), t, o, elapsed_ns);
	fprintf(stderr, "\r\033[K%llu runs, %zu distinct, %.0f runs/s, "
		"longest %llu, %llu failed, %s",
		(unsigned long long)t->runs, t->digests.nr,
		(double)t->runs / ((double)elapsed_ns / 1e9),
		(unsigned long long)t->max_steps,
		(unsigned long long)t->failures, left);
	p->is_shown = true;
}

void progress_clear(struct progress *p)
{
	if (p->is_shown)
		fputs("\r\033[K", stderr);
	p->is_shown = false;
}
