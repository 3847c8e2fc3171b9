/* SPDX-License-Identifier: MIT */
/*
 * report_schedule.c - the end of the schedule, one row an operation, one
 * column a task.
 */
#include "explorer/report.h"

#include <inttypes.h>
#include <string.h>

#define MAX_ROWS 40u
#define MAX_COLUMNS 6u	/* with more tasks, rows name them instead */
#define MIN_WIDTH 8u
#define MAX_WIDTH 28u

struct table {
	const struct trace *t;
	uint64_t first;			/* event in the first row */
	uint64_t nr_rows;
	uint32_t task[MAX_COLUMNS];	/* of each column, ascending */
	uint32_t width[MAX_COLUMNS];
	uint32_t nr;			/* 0: too many for columns */
};

/* Whether b only repeats a: a task that spins or yields, most likely. */
static bool is_equal(const struct sched_event *a, const struct sched_event *b)
{
	if (a->kind == EXPLORE_OP_THREAD_CREATE)
		return false;	/* each makes another task */
	return a->task == b->task && a->kind == b->kind && a->pc == b->pc &&
	       a->object == b->object && a->point == b->point &&
	       a->chosen == b->chosen && !(b->flags & SCHED_EVENT_PREEMPTION);
}

static void insert_column(struct table *table, uint32_t task)
{
	uint32_t at = table->nr++;

	for (; at > 0 && table->task[at - 1] > task; at--)
		table->task[at] = table->task[at - 1];
	table->task[at] = task;
}

static bool has_column(const struct table *table, uint32_t task)
{
	for (uint32_t i = 0; i < table->nr; i++)
		if (table->task[i] == task)
			return true;
	return false;
}

static void find_columns(struct table *table)
{
	for (uint64_t i = table->first; i < table->t->nr_events; i++) {
		uint32_t task = table->t->event[i].task;

		if (has_column(table, task))
			continue;
		if (table->nr == MAX_COLUMNS) {
			table->nr = 0;
			return;
		}
		insert_column(table, task);
	}
}

static void find_widths(struct report_context *c, struct table *table)
{
	char text[DESCRIBE_BYTES * 2];

	for (uint32_t col = 0; col < table->nr; col++)
		table->width[col] = MIN_WIDTH;
	for (uint64_t i = table->first; i < table->t->nr_events; i++) {
		const struct sched_event *e = &table->t->event[i];
		size_t length;

		if (i > table->first && is_equal(e - 1, e))
			continue;
		describe_event(&c->d, e, text, sizeof(text));
		length = strlen(text) + 2;
		if (length > MAX_WIDTH)
			length = MAX_WIDTH;
		for (uint32_t col = 0; col < table->nr; col++)
			if (table->task[col] == e->task &&
			    table->width[col] < length)
				table->width[col] = (uint32_t)length;
	}
}

static void print_head(FILE *f, const struct table *table)
{
	char name[16];

	if (!table->nr) {
		fprintf(f, "   step    task    operation\n");
		return;
	}
	fprintf(f, "   step    ");
	for (uint32_t col = 0; col < table->nr; col++) {
		snprintf(name, sizeof(name), "T%u", table->task[col]);
		/* No blanks at the end of the line. */
		fprintf(f, "%-*s", col + 1 < table->nr ?
			(int)table->width[col] : 0, name);
	}
	fprintf(f, "\n");
}

static char mark(const struct sched_event *e)
{
	if (e->flags & SCHED_EVENT_PREEMPTION)
		return '!';
	return e->flags & SCHED_EVENT_SWITCH ? '>' : ' ';
}

/* A long name runs into the next columns, which are empty in this row. */
static void print_cells(FILE *f, const struct table *table, uint32_t task,
			const char *text, const char *line)
{
	size_t room = 0, used;
	uint32_t col = 0;

	for (; col < table->nr && table->task[col] != task; col++)
		fprintf(f, "%*s", (int)table->width[col], "");
	fputs(text, f);
	if (!line[0])
		return;	/* no blanks at the end */
	for (used = strlen(text); col < table->nr; col++)
		room += table->width[col];
	fprintf(f, "%*s%s", used < room ? (int)(room - used) : 1, "", line);
}

/* `nr` equal events from the i-th on. */
static void print_row(struct report_context *c, const struct table *table,
		      uint64_t i, uint64_t nr)
{
	const struct sched_event *e = &table->t->event[i];
	char text[DESCRIBE_BYTES * 2], line[DESCRIBE_BYTES], name[16];
	size_t used;

	describe_event(&c->d, e, text, sizeof(text));
	used = strlen(text);
	if (nr > 1)
		snprintf(text + used, sizeof(text) - used, ", %" PRIu64
			 " times", nr);
	describe_line(&c->d, e->pc, describe_is_return(e->kind), line,
		      sizeof(line));
	fprintf(c->f, "%7" PRIu64 " %c  ", i, mark(e));
	if (table->nr) {
		print_cells(c->f, table, e->task, text, line);
	} else {
		snprintf(name, sizeof(name), "T%u", e->task);
		fprintf(c->f, "%-8s%-*s%s%s", name, line[0] ? MAX_WIDTH : 0,
			text, line[0] ? " " : "", line);
	}
	fputc('\n', c->f);
}

/* How many events from the i-th on make one row. */
static uint64_t row_length(const struct trace *t, uint64_t i)
{
	uint64_t nr = 1;

	while (i + nr < t->nr_events &&
	       is_equal(&t->event[i], &t->event[i + nr]))
		nr++;
	return nr;
}

/* Where the last MAX_ROWS rows begin. */
static void find_first(struct table *table)
{
	const struct sched_event *e = table->t->event;
	uint64_t i = table->t->nr_events;

	while (i > 0 && table->nr_rows < MAX_ROWS) {
		for (i--; i > 0 && is_equal(&e[i - 1], &e[i]); i--)
			;
		table->nr_rows++;
	}
	table->first = i;
}

void report__print_schedule(struct report_context *c)
{
	const struct trace *t = c->r->trace;
	struct table table = { .t = t };

	if (!t->nr_events)
		return;
	find_first(&table);
	find_columns(&table);
	find_widths(c, &table);
	fprintf(c->f, "\nSchedule (> another task runs, ! it was preempted)\n");
	if (table.first)
		fprintf(c->f, "  ... %" PRIu64 " earlier operations: see "
			"explore dump\n", table.first);
	print_head(c->f, &table);
	for (uint64_t i = table.first; i < t->nr_events;) {
		uint64_t nr = row_length(t, i);

		print_row(c, &table, i, nr);
		i += nr;
	}
}
