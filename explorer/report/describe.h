/* SPDX-License-Identifier: MIT */
/*
 * describe.h - how reports and dumps name tasks, objects, places, operations.
 *
 * For report*.c and dump_*.c. Nothing here prints; texts go into the caller's
 * buffer, cut off when it is full.
 */
#ifndef EXPLORER_DESCRIBE_H
#define EXPLORER_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explorer/symbols/symbols.h"
#include "preload/region/control.h"
#include "recorder/trace.h"
#include "scheduler/operations.h"

#define DESCRIBE_BYTES 160	/* enough for a name or a place */

struct describe {
	struct symbols *symbols;	/* borrowed; may be NULL */
	/* One of these, or neither. Borrowed. */
	const struct sched_object *object;
	const struct trace_object *recorded;
	uint32_t nr_objects;
	char **name;		/* by object id - 1, filled on demand */
	/*
	 * Events that created tasks: the first made T1, and so on. 0 of them
	 * when tasks were made in other ways, too.
	 */
	const struct sched_event **creation;
	uint32_t nr_creations;
	const struct trace *trace;	/* borrowed */
};

/* Without an object table, give `object` NULL: the trace's own is taken. */
void describe_init(struct describe *d, const struct trace *t,
		   struct symbols *symbols, const struct sched_object *object,
		   uint32_t nr_objects);
void describe_release(struct describe *d);

/* The address of an object, or its task's number; false: not known. */
bool describe_address(const struct describe *d, uint32_t id, uint64_t *addr);

/* "T1", "counter_lock", "queue.lock", "mutex#3"; "" for id 0. */
void describe_object(struct describe *d, uint32_t id, uint16_t kind,
		     char *text, size_t bytes);

/* The same in a sentence: "T1", "mutex 'counter_lock'", "mutex#3". */
void describe_object_long(struct describe *d, uint32_t id, uint16_t kind,
			  char *text, size_t bytes);

/* "transfer() bank.c:31"; as much of it as is known. */
void describe_place(struct describe *d, uint64_t pc, bool is_return,
		    char *text, size_t bytes);

/* The same for a place that was looked up already; pc when nothing is known. */
void describe_symbol(const struct symbol *symbol, uint64_t pc, char *text,
		     size_t bytes);

/* "bank.c:31", or "" when there is no line or it is the C library's. */
void describe_line(struct describe *d, uint64_t pc, bool is_return,
		   char *text, size_t bytes);

/* The function's name without its parameters, not too long. */
void describe_function(const struct symbol *symbol, char *text, size_t bytes);

/* What an event of the trace is about: describe_object(), or who was made. */
void describe_subject(struct describe *d, const struct sched_event *e,
		      char *text, size_t bytes);

/*
 * What a note says of the event, in full: "free heap list.c:12", "close 3
 * (/tmp/x)"; false when there is none.
 */
bool describe_noted(struct describe *d, const struct sched_event *e,
		    char *text, size_t bytes);

/* "lock counter_lock", "join T1", "woke T3": short, for one event. */
void describe_event(struct describe *d, const struct sched_event *e,
		    char *text, size_t bytes);

/* "bank.c:31" of an event, or "": where the program called what it is. */
void describe_event_line(struct describe *d, const struct sched_event *e,
			 char *text, size_t bytes);
/* Its pc, and whether that lies behind a call. */
uint64_t describe_event_pc(const struct describe *d,
			   const struct sched_event *e, bool *is_return);

/* What the memory operation at that step did; NULL: that was not noted. */
const struct control_value *describe_value(const struct describe *d,
					   uint64_t step);

/*
 * That in words: " = 5" of a read, ": 4 -> 5" of others, or "". Behind the
 * name of the memory.
 */
void describe_change(struct describe *d, const struct sched_event *e,
		     char *text, size_t bytes);

const char *describe_class_name(enum sched_class class);

#endif /* EXPLORER_DESCRIBE_H */
