/* SPDX-License-Identifier: MIT */
/*
 * report_schedule.c - the end of the schedule, one row an operation, one
 * column a task.
 */
#include "explorer/report/internal.h"

#include <inttypes.h>
#include <string.h>

#include "explorer/report/note_rows.h"
#include "explorer/target/notes.h"

#define MAX_ROWS 40u
#define MAX_NOTES 8u	/* rows between two operations */
#define MAX_COLUMNS 6u	/* with more tasks, rows name them instead */
#define WIDE 60u	/* all columns together; a place follows */
#define MIN_WIDTH 8u
#define MAX_WIDTH 28u
#define MAX_PLACE 90u

struct table {
	const struct trace *t;
	uint64_t first;			/* event in the first row */
	uint64_t nr_rows;
	uint32_t task[MAX_COLUMNS];	/* of each column, ascending */
	uint32_t width[MAX_COLUMNS];
	uint32_t nr;			/* 0: too many for columns */
	size_t place;			/* column of the source lines */
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

/* Where the task's column begins. */
static size_t column_start(const struct table *table, uint32_t task)
{
	size_t start = 0;

	for (uint32_t col = 0; col < table->nr && table->task[col] != task;
	     col++)
		start += table->width[col];
	return start;
}

/* Length of the cell of event i, with a gap; 0 when it makes no row. */
static size_t cell_length(struct report_context *c, const struct table *table,
			  uint64_t i)
{
	const struct sched_event *e = &table->t->event[i];
	char text[DESCRIBE_BYTES * 2];

	if (i > table->first && is_equal(e - 1, e))
		return 0;
	describe_event(&c->d, e, text, sizeof(text));
	return strlen(text) + 2;
}

static void find_widths(struct report_context *c, struct table *table)
{
	for (uint32_t col = 0; col < table->nr; col++)
		table->width[col] = MIN_WIDTH;
	for (uint64_t i = table->first; i < table->t->nr_events; i++) {
		size_t length = cell_length(c, table, i);

		if (length > MAX_WIDTH)
			length = MAX_WIDTH;
		for (uint32_t col = 0; col < table->nr; col++)
			if (table->task[col] == table->t->event[i].task &&
			    table->width[col] < length)
				table->width[col] = (uint32_t)length;
	}
}

static void find_place_of_notes(struct report_context *c, struct table *table,
				uint64_t i)
{
	const struct control_note *n;
	char text[DESCRIBE_BYTES * 2];

	for (uint32_t k = 0; (n = note_rows_find(&c->d, i, k)); k++) {
		size_t end = column_start(table, n->task);

		note_rows_describe(&c->d, n, text, sizeof(text));
		end += strlen(text) + 2;
		if (end > table->place && end <= MAX_PLACE)
			table->place = end;
	}
}

/* Source lines stand behind all cells but the longest. */
static void find_place(struct report_context *c, struct table *table)
{
	for (uint64_t i = table->first; i < table->t->nr_events; i++) {
		size_t end = column_start(table, table->t->event[i].task) +
			     cell_length(c, table, i);

		if (end > table->place && end <= MAX_PLACE)
			table->place = end;
		find_place_of_notes(c, table, i);
	}
	find_place_of_notes(c, table, table->t->nr_events);
}

/*
 * A row has one cell only, which may run into the next columns. So when the
 * table gets wide, columns need not be as wide as what stands in them.
 */
static void narrow(struct table *table)
{
	uint32_t total = 0, most;

	for (uint32_t col = 0; col < table->nr; col++)
		total += table->width[col];
	if (total <= WIDE)
		return;
	most = WIDE / table->nr;
	for (uint32_t col = 0; col < table->nr; col++)
		if (table->width[col] > most)
			table->width[col] = most;
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
	size_t start = column_start(table, task);
	size_t used = start + strlen(text);

	fprintf(f, "%*s%s", (int)start, "", text);
	if (line[0])	/* else: no blanks at the end */
		fprintf(f, "%*s%s", used < table->place ?
			(int)(table->place - used) : 1, "", line);
}

/* `nr` equal events from the i-th on. */
static void print_row(struct report_context *c, const struct table *table,
		      uint64_t i, uint64_t nr)
{
	const struct sched_event *e = &table->t->event[i];
	char text[DESCRIBE_BYTES * 2], line[DESCRIBE_BYTES], name[16];
	size_t used;

	/* Of several, the last one's value: that is what it came to. */
	describe_event(&c->d, e + nr - 1, text, sizeof(text));
	used = strlen(text);
	if (nr > 1)
		snprintf(text + used, sizeof(text) - used, ", %" PRIu64
			 " times", nr);
	describe_event_line(&c->d, e, line, sizeof(line));
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
static uint64_t row_length(struct report_context *c, uint64_t i)
{
	const struct trace *t = c->r->trace;
	uint64_t nr = 1;

	while (i + nr < t->nr_events &&
	       is_equal(&t->event[i], &t->event[i + nr]) &&
	       !note_rows_find(&c->d, i + nr, 0))
		nr++;
	return nr;
}

/* What happened before the i-th event and is none. */
static void print_notes(struct report_context *c, const struct table *table,
			uint64_t i)
{
	const struct control_note *n;
	char text[DESCRIBE_BYTES * 2], line[DESCRIBE_BYTES], name[16];

	for (uint32_t k = 0; (n = note_rows_find(&c->d, i, k)); k++) {
		if (table->nr && !has_column(table, n->task))
			continue;
		if (k == MAX_NOTES) {
			fprintf(c->f, "           ... and more\n");
			return;
		}
		note_rows_describe(&c->d, n, text, sizeof(text));
		describe_line(&c->d, n->pc, true, line, sizeof(line));
		fprintf(c->f, "%11s", "");
		snprintf(name, sizeof(name), "T%u", n->task);
		if (table->nr)
			print_cells(c->f, table, n->task, text, line);
		else
			fprintf(c->f, "%-8s%-*s%s%s", name,
				line[0] ? MAX_WIDTH : 0, text,
				line[0] ? " " : "", line);
		fputc('\n', c->f);
	}
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
	narrow(&table);
	find_place(c, &table);
	fprintf(c->f, "\nSchedule (> another task runs, ! it was preempted)\n");
	if (table.first)
		fprintf(c->f, "  ... %" PRIu64 " earlier operations: see "
			"explore dump\n", table.first);
	print_head(c->f, &table);
	for (uint64_t i = table.first; i < t->nr_events;) {
		uint64_t nr = row_length(c, i);

		print_notes(c, &table, i);
		print_row(c, &table, i, nr);
		i += nr;
	}
	print_notes(c, &table, t->nr_events);
}
