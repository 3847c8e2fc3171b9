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
#define MAX_WIDTH 24u

struct table {
	const struct trace *t;
	uint64_t first;			/* event in the first row */
	uint32_t task[MAX_COLUMNS];	/* of each column, ascending */
	uint32_t width[MAX_COLUMNS];
	uint32_t nr;			/* 0: too many for columns */
};

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

static void print_row(struct report_context *c, const struct table *table,
		      uint64_t i)
{
	const struct sched_event *e = &table->t->event[i];
	char text[DESCRIBE_BYTES * 2], line[DESCRIBE_BYTES], name[16];

	describe_event(&c->d, e, text, sizeof(text));
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

void report__print_schedule(struct report_context *c)
{
	const struct trace *t = c->r->trace;
	struct table table = { .t = t };

	if (!t->nr_events)
		return;
	if (t->nr_events > MAX_ROWS)
		table.first = t->nr_events - MAX_ROWS;
	find_columns(&table);
	find_widths(c, &table);
	fprintf(c->f, "\nSchedule (> another task runs, ! it was preempted)\n");
	if (table.first)
		fprintf(c->f, "  ... %" PRIu64 " earlier operations: see "
			"explore dump\n", table.first);
	print_head(c->f, &table);
	for (uint64_t i = table.first; i < t->nr_events; i++)
		print_row(c, &table, i);
}
