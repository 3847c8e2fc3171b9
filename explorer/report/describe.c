/* SPDX-License-Identifier: MIT */
/*
 * describe.c - names of tasks, objects, places and operations.
 */
#include "explorer/report/describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explorer/report/note_rows.h"
#include "explorer/target/notes.h"
#include "base/util.h"
#include "recorder/names.h"
#include "explorer/symbols/variables.h"

#define MAX_FUNCTION 60	/* C++ names can fill a screen */
#define MAX_CELL 32u

/*
 * A creation is logged before the new task has a name. Ids are given in that
 * order; the last creation may not have come to its end.
 */
static void find_creations(struct describe *d, const struct trace *t)
{
	uint64_t nr = t->nr_ops[EXPLORE_OP_THREAD_CREATE];
	uint32_t found = 0;

	if (!nr || nr > t->nr_tasks || nr + 1 < t->nr_tasks)
		return;
	d->creation = xcalloc(nr, sizeof(*d->creation));
	for (uint64_t i = 0; i < t->nr_events && found < nr; i++)
		if (t->event[i].kind == EXPLORE_OP_THREAD_CREATE)
			d->creation[found++] = &t->event[i];
	d->nr_creations = found;
}

/* The task that this event created, or 0. */
static uint32_t created_task(const struct describe *d,
			     const struct sched_event *e)
{
	uint32_t low = 0, high = d->nr_creations;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (d->creation[middle] == e)
			return middle + 1;
		if (d->creation[middle] < e)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

void describe_init(struct describe *d, const struct trace *t,
		   struct symbols *symbols, const struct sched_object *object,
		   uint32_t nr_objects)
{
	memset(d, 0, sizeof(*d));
	d->symbols = symbols;
	d->trace = t;
	d->object = object;
	d->nr_objects = nr_objects;
	if (!object) {
		d->recorded = t->object;
		d->nr_objects = t->object ? t->nr_objects : 0;
	}
	d->name = xcalloc((size_t)d->nr_objects + 1, sizeof(*d->name));
	find_creations(d, t);
}

void describe_release(struct describe *d)
{
	for (uint32_t i = 0; i < d->nr_objects; i++)
		free(d->name[i]);
	free(d->name);
	free(d->creation);
	memset(d, 0, sizeof(*d));
}

/* --------------------------------------------------------------- objects */

static const char *const class_names[] = {
	[SCHED_CLASS_NONE] = "object",
	[SCHED_CLASS_THREAD] = "thread",
	[SCHED_CLASS_MUTEX] = "mutex",
	[SCHED_CLASS_RWLOCK] = "rwlock",
	[SCHED_CLASS_SPIN] = "spinlock",
	[SCHED_CLASS_COND] = "condition",
	[SCHED_CLASS_SEM] = "semaphore",
	[SCHED_CLASS_BARRIER] = "barrier",
	[SCHED_CLASS_ONCE] = "once",
	[SCHED_CLASS_FUTEX] = "futex",
	[SCHED_CLASS_FD] = "fd",
	[SCHED_CLASS_CHILD] = "child",
	[SCHED_CLASS_SIGNAL] = "signal",
	[SCHED_CLASS_MEMORY] = "memory",
};

const char *describe_class_name(enum sched_class class)
{
	unsigned int i = class;

	if (i >= sizeof(class_names) / sizeof(*class_names))
		return class_names[SCHED_CLASS_NONE];
	return class_names[i];
}

/* The table's word on an object; false when there is none. */
static bool look_up(const struct describe *d, uint32_t id,
		    struct trace_object *out)
{
	if (!id || id > d->nr_objects)
		return false;
	if (d->object) {
		out->addr = d->object[id - 1].addr;
		out->class = d->object[id - 1].class;
		return true;
	}
	if (d->recorded)
		*out = d->recorded[id - 1];
	return d->recorded != NULL;
}

bool describe_address(const struct describe *d, uint32_t id, uint64_t *addr)
{
	struct trace_object o;

	if (!look_up(d, id, &o))
		return false;
	*addr = o.addr;
	return true;
}

/* Memory by who allocated it: "heap list.c:12+8". */
static bool name_by_block(struct describe *d, uint64_t addr, char *text,
			  size_t bytes)
{
	const struct trace *t = d->trace;
	char place[DESCRIBE_BYTES];

	for (uint64_t i = 0; i < t->nr_values; i++) {
		const struct control_value *v = &t->value[i];

		if (v->addr != addr || !v->block)
			continue;
		describe_line(d, v->block_pc, true, place, sizeof(place));
		if (!place[0])
			describe_place(d, v->block_pc, true, place,
				       sizeof(place));
		snprintf(text, bytes, "heap %s", place);
		if (addr > v->block)
			snprintf(text + strlen(text), bytes - strlen(text),
				 "+%" PRIu64, addr - v->block);
		return true;
	}
	return false;
}

static void name_fd(uint64_t addr, char *text, size_t bytes)
{
	unsigned int nr = (uint32_t)addr;

	switch (addr >> 32) {
	case SCHED_FD_NAMED_PIPE:
		snprintf(text, bytes, "named pipe %u", nr);
		break;
	case SCHED_FD_SEMAPHORES:
		snprintf(text, bytes, "semaphore set %u", nr);
		break;
	case SCHED_FD_QUEUE:
		snprintf(text, bytes, "message queue %u", nr);
		break;
	default:
		snprintf(text, bytes, "fd %u", nr);
	}
}

static void make_name(struct describe *d, uint32_t id, uint16_t kind,
		      char *text, size_t bytes)
{
	struct trace_object o = { .class = operation_class(kind) };
	bool is_known = look_up(d, id, &o);

	if (is_known && (o.class == SCHED_CLASS_THREAD ||
			 o.class == SCHED_CLASS_SIGNAL)) {
		snprintf(text, bytes, "T%" PRIu64, o.addr);
		return;
	}
	if (is_known && o.class == SCHED_CLASS_FD) {
		name_fd(o.addr, text, bytes);
		return;
	}
	if (is_known && o.class == SCHED_CLASS_CHILD) {
		snprintf(text, bytes, "any child");
		return;
	}
	if (is_known && symbols_variable(d->symbols, o.addr, text, bytes))
		return;
	if (is_known && o.class == SCHED_CLASS_MEMORY &&
	    name_by_block(d, o.addr, text, bytes))
		return;
	snprintf(text, bytes, "%s#%u", describe_class_name(o.class), id);
}

void describe_object(struct describe *d, uint32_t id, uint16_t kind,
		     char *text, size_t bytes)
{
	text[0] = '\0';
	if (!id)
		return;
	if (id > d->nr_objects) {
		make_name(d, id, kind, text, bytes);
		return;
	}
	if (!d->name[id - 1]) {
		make_name(d, id, kind, text, bytes);
		d->name[id - 1] = xstrdup(text);
	}
	snprintf(text, bytes, "%s", d->name[id - 1]);
}

void describe_object_long(struct describe *d, uint32_t id, uint16_t kind,
			  char *text, size_t bytes)
{
	struct trace_object o = { .class = operation_class(kind) };
	char name[DESCRIBE_BYTES];

	describe_object(d, id, kind, name, sizeof(name));
	/* Those of make_name() that speak for themselves. */
	if (!look_up(d, id, &o) || strchr(name, '#') ||
	    o.class == SCHED_CLASS_THREAD || o.class == SCHED_CLASS_SIGNAL ||
	    o.class == SCHED_CLASS_FD || o.class == SCHED_CLASS_CHILD)
		snprintf(text, bytes, "%s", name);
	else
		snprintf(text, bytes, "%s '%s'", describe_class_name(o.class),
			 name);
}

/* ---------------------------------------------------------------- places */

/*
 * Where the parameters of a demangled name begin: the first parenthesis
 * outside template arguments that is not part of a name.
 */
static size_t name_length(const char *name)
{
	static const char *const words[] = {
		"(anonymous namespace)", "operator()",
	};
	size_t i = 0;
	int depth = 0;

	while (name[i]) {
		size_t skip = 1;

		for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++)
			if (!strncmp(name + i, words[w], strlen(words[w])))
				skip = strlen(words[w]);
		if (skip == 1 && name[i] == '<')
			depth++;
		if (skip == 1 && name[i] == '>' && depth)
			depth--;
		if (skip == 1 && name[i] == '(' && !depth && i)
			return i;
		i += skip;
	}
	return i;
}

void describe_function(const struct symbol *symbol, char *text, size_t bytes)
{
	const char *name = symbol->function;
	size_t length;

	text[0] = '\0';
	if (!name)
		return;
	if (!strncmp(name, "__GI_", 5))
		name += 5;	/* glibc's name for its own calls of it */
	length = name_length(name);
	if (length > MAX_FUNCTION)
		snprintf(text, bytes, "%.*s...", MAX_FUNCTION - 3, name);
	else
		snprintf(text, bytes, "%.*s()", (int)length, name);
}

void describe_line(struct describe *d, uint64_t pc, bool is_return,
		   char *text, size_t bytes)
{
	struct symbol symbol;

	text[0] = '\0';
	symbols_find(d->symbols, pc, is_return, &symbol);
	if (symbol.file && !symbol.is_system)
		snprintf(text, bytes, "%s:%d", symbol.file, symbol.line);
}

void describe_symbol(const struct symbol *symbol, uint64_t pc, char *text,
		     size_t bytes)
{
	char function[DESCRIBE_BYTES];

	describe_function(symbol, function, sizeof(function));
	if (symbol->file)
		snprintf(text, bytes, "%s%s%s:%d", function,
			 function[0] ? " " : "", symbol->file, symbol->line);
	else if (function[0] && symbol->module)
		snprintf(text, bytes, "%s in %s", function, symbol->module);
	else if (symbol->module)
		snprintf(text, bytes, "%s+0x%" PRIx64, symbol->module,
			 symbol->offset);
	else if (pc)
		snprintf(text, bytes, "0x%" PRIx64, pc);
	else
		snprintf(text, bytes, "an unknown place");
}

void describe_place(struct describe *d, uint64_t pc, bool is_return,
		    char *text, size_t bytes)
{
	struct symbol symbol;

	symbols_find(d->symbols, pc, is_return, &symbol);
	describe_symbol(&symbol, pc, text, bytes);
}

/* ------------------------------------------------------------ operations */

/* "lock" is enough when the name of a mutex follows. */
static const char *short_op(uint16_t kind)
{
	static const char *const prefixes[] = {
		"mutex-", "rwlock-", "thread-", "memory-",
	};
	const char *name = trace_op_name(kind);

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return name + strlen(prefixes[i]);
	return name;
}

/* A task's own start and end need no object. */
static bool is_about_self(uint16_t kind)
{
	return kind == EXPLORE_OP_THREAD_START ||
	       kind == EXPLORE_OP_THREAD_EXIT;
}

void describe_subject(struct describe *d, const struct sched_event *e,
		      char *text, size_t bytes)
{
	uint32_t created = 0;

	if (e->kind == EXPLORE_OP_THREAD_CREATE)
		created = created_task(d, e);
	if (created)
		snprintf(text, bytes, "T%u", created);
	else
		describe_object(d, e->object, e->kind, text, bytes);
}

/* The end of a long name says more than its beginning. */
static void shorten(char *name)
{
	size_t length = strlen(name);

	if (length <= MAX_CELL)
		return;
	memcpy(name, "...", 3);
	memmove(name + 3, name + length - (MAX_CELL - 3), MAX_CELL - 3 + 1);
}

const struct control_value *describe_value(const struct describe *d,
					   uint64_t step)
{
	const struct control_value *v = d->trace->value;
	uint64_t low = 0, high = d->trace->nr_values;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (v[middle].step == step)
			return &v[middle];
		if (v[middle].step < step)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Before, or after. */
static void print_value(struct describe *d, const struct control_value *v,
			uint8_t which, char *text, size_t bytes)
{
	if (v->has & which)
		symbols_value(d->symbols, v->addr,
			      which == CONTROL_VALUE_BEFORE ? v->before :
							      v->after,
			      v->size, text, bytes);
	else
		snprintf(text, bytes, "?");
}

void describe_change(struct describe *d, const struct sched_event *e,
		     char *text, size_t bytes)
{
	const struct control_value *v = NULL;
	char before[DESCRIBE_BYTES], after[DESCRIBE_BYTES];

	text[0] = '\0';
	if (operation_class(e->kind) == SCHED_CLASS_MEMORY)
		v = describe_value(d, (uint64_t)(e - d->trace->event));
	if (!v || !v->has)
		return;
	print_value(d, v, CONTROL_VALUE_BEFORE, before, sizeof(before));
	print_value(d, v, CONTROL_VALUE_AFTER, after, sizeof(after));
	if (e->kind == EXPLORE_OP_MEMORY_READ)
		snprintf(text, bytes, " = %s", before);
	else
		snprintf(text, bytes, ": %s -> %s", before, after);
}

static const struct control_note *note_of(const struct describe *d,
					  const struct sched_event *e,
					  enum control_note_kind kind)
{
	return notes_of_op(d->trace, (uint64_t)(e - d->trace->event), kind);
}

uint64_t describe_event_pc(const struct describe *d,
			   const struct sched_event *e, bool *is_return)
{
	const struct control_note *n = note_of(d, e, CONTROL_NOTE_CALL);

	if (!n)
		n = note_of(d, e, CONTROL_NOTE_FORK);
	*is_return = operation_is_call(e->kind);
	return n && n->pc ? n->pc : e->pc;
}

void describe_event_line(struct describe *d, const struct sched_event *e,
			 char *text, size_t bytes)
{
	bool is_return;
	uint64_t pc = describe_event_pc(d, e, &is_return);

	describe_line(d, pc, is_return, text, bytes);
}

bool describe_noted(struct describe *d, const struct sched_event *e,
		    char *text, size_t bytes)
{
	const struct control_note *n;
	char name[DESCRIBE_BYTES];

	if (e->point != EXPLORE_POINT_TASK)
		return false;
	describe_subject(d, e, name, sizeof(name));
	shorten(name);
	if ((n = note_of(d, e, CONTROL_NOTE_FREE)))
		snprintf(text, bytes, "free %s", name);
	else if ((n = note_of(d, e, CONTROL_NOTE_JOINED_CANCELLED)))
		snprintf(text, bytes, "join %s, which was cancelled", name);
	else if ((n = note_of(d, e, CONTROL_NOTE_FORK)))
		snprintf(text, bytes, "fork child process %d", n->number);
	else if (e->kind == EXPLORE_OP_SYSCALL &&
		 (n = note_of(d, e, CONTROL_NOTE_CALL)) && n->fd >= 0)
		note_rows_describe(d, n, text, bytes);
	return n;
}

void describe_event(struct describe *d, const struct sched_event *e,
		    char *text, size_t bytes)
{
	char name[DESCRIBE_BYTES] = "", change[2 * DESCRIBE_BYTES];
	bool has_name;

	if (!is_about_self(e->kind))
		describe_subject(d, e, name, sizeof(name));
	shorten(name);
	if (describe_noted(d, e, text, bytes))
		return;
	describe_change(d, e, change, sizeof(change));
	has_name = name[0] != '\0';
	if (e->point == EXPLORE_POINT_WAKE)
		snprintf(text, bytes, "wakes T%u of %u", e->chosen, e->nr);
	else if (e->point == EXPLORE_POINT_VALUE)
		snprintf(text, bytes, "chooses %u of 0..%u", e->chosen,
			 e->nr ? e->nr - 1u : 0u);
	else
		snprintf(text, bytes, "%s%s%s%s%s", short_op(e->kind),
			 has_name ? " " : "", has_name ? name : "", change,
			 e->flags & SCHED_EVENT_TIMEOUT ? " (timeout)" : "");
}
