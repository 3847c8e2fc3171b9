/* SPDX-License-Identifier: MIT */
/*
 * report_tasks.c - what each task holds, waits for and did last.
 */
#include "explorer/report/internal.h"
#include "recorder/names.h"

#include <string.h>

#include "explorer/target/notes.h"

#define MAX_TASKS 12u	/* in full; of 100 blocked tasks, few matter */
#define MAX_HELD 6u
#define MAX_LOCK_BYTES 56u	/* of the biggest, a rwlock */
#define NR_LAST 4u	/* operations before the end */

void report__list_tasks(const uint32_t *task, uint32_t nr, char *text,
			size_t bytes)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < nr && used < bytes; i++) {
		const char *gap = i == 0 ? "" : i + 1 == nr ? " and " : ", ";
		int n = snprintf(text + used, bytes - used, "%sT%u", gap,
				 task[i]);

		used += n > 0 ? (size_t)n : 0;
	}
}

/* Operations that wait only while somebody has the object. */
static bool is_lock(uint16_t kind)
{
	switch (kind) {
	case EXPLORE_OP_MUTEX_LOCK:
	case EXPLORE_OP_MUTEX_TIMEDLOCK:
	case EXPLORE_OP_RWLOCK_RDLOCK:
	case EXPLORE_OP_RWLOCK_TIMEDRDLOCK:
	case EXPLORE_OP_RWLOCK_WRLOCK:
	case EXPLORE_OP_RWLOCK_TIMEDWRLOCK:
	case EXPLORE_OP_SPIN_LOCK:
	case EXPLORE_OP_FUTEX_LOCK_PI:
		return true;
	default:
		return false;
	}
}

/* ----------------------------------------------------------------- holds */

static bool is_holder(const struct sched_object *o, uint32_t task)
{
	if (o->owner == task + 1)
		return true;
	if (o->class != SCHED_CLASS_RWLOCK)
		return false;
	for (uint32_t i = 0; i < o->nr_holders && i < SCHED_MAX_HOLDERS; i++)
		if (o->holder[i] == task)
			return true;
	return false;
}

static bool takes(const struct sched_event *e, uint32_t task, uint32_t id)
{
	if (e->task != task || e->point != EXPLORE_POINT_TASK)
		return false;
	switch (e->kind) {
	case EXPLORE_OP_MUTEX_LOCK:
	case EXPLORE_OP_MUTEX_TRYLOCK:
	case EXPLORE_OP_MUTEX_TIMEDLOCK:
	case EXPLORE_OP_RWLOCK_RDLOCK:
	case EXPLORE_OP_RWLOCK_TRYRDLOCK:
	case EXPLORE_OP_RWLOCK_TIMEDRDLOCK:
	case EXPLORE_OP_RWLOCK_WRLOCK:
	case EXPLORE_OP_RWLOCK_TRYWRLOCK:
	case EXPLORE_OP_RWLOCK_TIMEDWRLOCK:
	case EXPLORE_OP_SPIN_LOCK:
	case EXPLORE_OP_SPIN_TRYLOCK:
	case EXPLORE_OP_ONCE:
	case EXPLORE_OP_FUTEX_LOCK_PI:
		return e->object == id;
	case EXPLORE_OP_COND_WAKE:
		return e->object2 == id;
	default:
		return false;
	}
}

/*
 * The operation by which the task came to hold the object, or NULL. The relock
 * of a self-deadlock may have been logged, and took nothing.
 */
static const struct sched_event *taken_at(const struct report *r,
					  uint32_t task, uint32_t id)
{
	const struct trace *t = r->trace;
	const struct control_verdict *v = &t->verdict;
	bool skips = v->kind == CONTROL_VERDICT_SELF_DEADLOCK &&
		     v->task == task && v->object == id &&
		     task < r->nr_tasks && !is_lock(r->task[task].op.kind);

	for (uint64_t i = t->nr_events; i > 0; i--) {
		if (!takes(&t->event[i - 1], task, id))
			continue;
		if (!skips)
			return &t->event[i - 1];
		skips = false;
	}
	return NULL;
}

static uint32_t print_holds(struct report_context *c, uint32_t task)
{
	const struct report *r = c->r;
	char name[2 * DESCRIBE_BYTES], line[DESCRIBE_BYTES];
	uint32_t nr = 0;

	for (uint32_t id = 1; id <= r->nr_objects && nr <= MAX_HELD; id++) {
		const struct sched_event *e;

		if (!is_holder(&r->object[id - 1], task))
			continue;
		if (nr++ == MAX_HELD) {
			fprintf(c->f, " and more");
			break;
		}
		describe_object_long(&c->d, id, EXPLORE_OP_NONE, name,
				     sizeof(name));
		fprintf(c->f, "%s %s", nr == 1 ? " holds" : " and", name);
		e = taken_at(r, task, id);
		if (e)
			describe_line(&c->d, e->pc, operation_is_call(e->kind),
				      line, sizeof(line));
		if (e && line[0])
			fprintf(c->f, " (since %s)", line);
	}
	return nr;
}

/* ----------------------------------------------------------------- waits */

static void print_holder(struct report_context *c,
			 const struct sched_object *o, uint32_t task)
{
	uint32_t reader[SCHED_MAX_HOLDERS] = { 0 };
	char text[DESCRIBE_BYTES];
	uint32_t nr = 0;

	if (is_holder(o, task)) {
		fprintf(c->f, ", which it holds itself");
	} else if (o->owner) {
		const struct report *r = c->r;
		uint32_t owner = o->owner - 1;

		fprintf(c->f, ", held by T%u", owner);
		if (r->task && owner < r->nr_tasks &&
		    r->task[owner].state == SCHED_TASK_DEAD)
			fprintf(c->f, ", which has ended");
	} else if (o->count && o->class == SCHED_CLASS_RWLOCK) {
		for (; nr < o->nr_holders && nr < SCHED_MAX_HOLDERS; nr++)
			reader[nr] = o->holder[nr];
		report__list_tasks(reader, nr, text, sizeof(text));
		fprintf(c->f, ", read-locked by %s%s",
			nr ? text : "others", o->count > nr && nr ?
			" and others" : "");
	} else if (o->flags & SCHED_OBJECT_FOREIGN) {
		fprintf(c->f, ", held by code outside the model");
	}
}

static bool is_taken(const struct sched_object *o)
{
	return o && (o->owner || (o->class == SCHED_CLASS_RWLOCK && o->count) ||
		     o->flags & SCHED_OBJECT_FOREIGN);
}

/* After a wait: it wants the mutex back, or was never woken. */
static void print_cond_wait(struct report_context *c,
			    const struct sched_task *t,
			    const struct sched_object *mutex)
{
	char cond[2 * DESCRIBE_BYTES], name[2 * DESCRIBE_BYTES];

	describe_object_long(&c->d, t->op.object, t->op.kind, cond,
			     sizeof(cond));
	if (t->wake == SCHED_WAKE_NONE) {
		fprintf(c->f, " waits for a signal on %s", cond);
		return;
	}
	describe_object_long(&c->d, t->op.object2, EXPLORE_OP_MUTEX_LOCK,
			     name, sizeof(name));
	fprintf(c->f, " was woken from %s and waits for %s", cond, name);
	if (mutex)
		print_holder(c, mutex, t->id);
}

/* The ways of blocking that are about one object, in a few words. */
static const char *wait_phrase(uint16_t kind)
{
	switch (kind) {
	case EXPLORE_OP_THREAD_JOIN:
		return "waits for the end of";
	case EXPLORE_OP_SEM_WAIT:
	case EXPLORE_OP_SEM_TIMEDWAIT:
		return "waits for a post to";
	case EXPLORE_OP_BARRIER_LEAVE:
		return "waits at";
	case EXPLORE_OP_FUTEX_RESUME:
		return "waits to be woken on";
	case EXPLORE_OP_ONCE:
		return "waits for the initialiser of";
	case EXPLORE_OP_SIGNAL_WAIT:
		return "waits for a signal to";
	case EXPLORE_OP_SYSCALL:
		return "is in a system call on";
	default:
		return NULL;
	}
}

/* The lock that has this futex in it, and that the child was born with. */
static const struct control_note *find_held(struct report_context *c,
					    uint64_t futex)
{
	const struct trace *t = c->r->trace;
	uint64_t addr;

	for (uint32_t i = 0; futex && i < t->nr_notes; i++)
		if (t->note[i].kind == CONTROL_NOTE_HELD &&
		    describe_address(&c->d, t->note[i].object, &addr) &&
		    futex - addr < MAX_LOCK_BYTES)
			return &t->note[i];
	return NULL;
}

static void print_child(struct report_context *c, const struct control_note *n)
{
	const struct control_note *held = find_held(c, n->addr);
	char name[2 * DESCRIBE_BYTES], line[DESCRIBE_BYTES];

	if (n->number)
		fprintf(c->f, "child process %d, which %s", n->number, n->text);
	else
		fprintf(c->f, "a child process, which %s", n->text);
	if (!held)
		return;
	describe_object_long(&c->d, held->object, EXPLORE_OP_NONE, name,
			     sizeof(name));
	fprintf(c->f, " for %s, which T%u held when T%u called fork", name,
		held->other, held->task);
	describe_line(&c->d, held->pc, true, line, sizeof(line));
	if (line[0])
		fprintf(c->f, " at %s", line);
}

/* The kernel knows which of them is waited for; `name` is for no one known. */
static void print_children(struct report_context *c, const char *name)
{
	const struct trace *t = c->r->trace;
	const char *before = " waits for ";
	bool has_any = false;

	for (uint32_t i = 0; i < t->nr_notes; i++) {
		if (t->note[i].kind != CONTROL_NOTE_CHILD)
			continue;
		fputs(before, c->f);
		print_child(c, &t->note[i]);
		before = " and ";
		has_any = true;
	}
	if (!has_any)
		fprintf(c->f, " waits for %s", name);
}

static void print_wait(struct report_context *c, const struct sched_task *t)
{
	const struct report *r = c->r;
	const struct sched_object *o = NULL, *o2 = NULL;
	const char *phrase = wait_phrase(t->op.kind);
	char name[2 * DESCRIBE_BYTES];

	if (t->op.object && t->op.object <= r->nr_objects)
		o = &r->object[t->op.object - 1];
	if (t->op.object2 && t->op.object2 <= r->nr_objects)
		o2 = &r->object[t->op.object2 - 1];
	describe_object_long(&c->d, t->op.object, t->op.kind, name,
			     sizeof(name));
	if (t->op.kind == EXPLORE_OP_COND_WAKE) {
		print_cond_wait(c, t, o2);
	} else if (is_lock(t->op.kind) && is_taken(o)) {
		fprintf(c->f, " waits for %s", name);
		print_holder(c, o, t->id);
	} else if (t->op.kind == EXPLORE_OP_CHILD_WAIT) {
		print_children(c, name);
	} else if (phrase && o) {
		fprintf(c->f, " %s %s", phrase, name);
		if (o->class == SCHED_CLASS_BARRIER && o->limit)
			fprintf(c->f, ", where %u of %u have arrived",
				o->count, o->limit);
	} else {
		fprintf(c->f, " is about to do: %s%s%s",
			trace_op_name(t->op.kind), name[0] ? " " : "", name);
	}
}

/* ----------------------------------------------------------------- tasks */

static void print_last(struct report_context *c, uint32_t task)
{
	const struct trace *t = c->r->trace;
	uint64_t at[NR_LAST];
	char text[DESCRIBE_BYTES * 2];
	uint32_t nr = 0;

	for (uint64_t i = t->nr_events; i > 0 && nr < NR_LAST; i--)
		if (t->event[i - 1].task == task)
			at[nr++] = i - 1;
	if (!nr)
		return;
	fprintf(c->f, "       before: ");
	for (; nr > 0; nr--) {
		describe_event(&c->d, &t->event[at[nr - 1]], text,
			       sizeof(text));
		fprintf(c->f, "%s%s", text, nr > 1 ? ", " : "\n");
	}
}

/* The function that the task was started with, when it is the program's. */
static void print_routine(struct report_context *c, uint32_t task)
{
	const struct trace *t = c->r->trace;
	struct symbol symbol;
	char name[DESCRIBE_BYTES];

	for (uint64_t i = 0; i < t->nr_events; i++) {
		const struct sched_event *e = &t->event[i];

		if (e->task != task || e->kind != EXPLORE_OP_THREAD_START)
			continue;
		symbols_find(c->d.symbols, e->pc, false, &symbol);
		describe_function(&symbol, name, sizeof(name));
		if (name[0] && !symbol.is_system)
			fprintf(c->f, " in %s", name);
		return;
	}
}

/* The one whose doing ended the run; in a deadlock there is none. */
static bool is_culprit(const struct report *r, uint32_t task)
{
	switch (r->trace->verdict.kind) {
	case CONTROL_VERDICT_DEADLOCK:
	case CONTROL_VERDICT_PARTIAL_DEADLOCK:
	case CONTROL_VERDICT_LIVELOCK:
	case CONTROL_VERDICT_STEP_LIMIT:
	case CONTROL_VERDICT_TIMEOUT:
		return false;
	default:
		return r->trace->verdict.task == task;
	}
}

static void print_task(struct report_context *c, const struct sched_task *t)
{
	bool is_self_deadlock = c->r->trace->verdict.kind ==
				CONTROL_VERDICT_SELF_DEADLOCK;
	bool has_failed = is_culprit(c->r, t->id);
	uint32_t nr_held;

	fprintf(c->f, "  T%u", t->id);
	print_routine(c, t->id);
	if (has_failed && !is_self_deadlock)
		fprintf(c->f, " %s; it", c->r->trace->verdict.kind ==
			CONTROL_VERDICT_EXIT ? "ended the process"
					     : "failed here");
	nr_held = print_holds(c, t->id);
	if (has_failed && is_self_deadlock) {
		fprintf(c->f, "%s waits for itself", nr_held ? " and" : "");
	} else if (!has_failed) {
		fprintf(c->f, "%s", nr_held ? " and" : "");
		print_wait(c, t);
	} else if (!nr_held) {
		fprintf(c->f, " holds no lock");
	}
	fprintf(c->f, "\n");
	report__print_stack(c, t->id);
	print_last(c, t->id);
}

static bool is_in_cycle(const struct control_verdict *v, uint32_t task)
{
	for (uint32_t i = 0; i < v->nr_cycle && i < 16; i++)
		if (v->cycle[i] == task)
			return true;
	return false;
}

/* 0: this verdict is about it. 1: the others that are alive. */
static int rank(const struct report *r, const struct sched_task *t)
{
	const struct control_verdict *v = &r->trace->verdict;

	if (is_in_cycle(v, t->id) || is_culprit(r, t->id))
		return 0;
	return t->state == SCHED_TASK_ALIVE ? 1 : 2;
}

void report__print_tasks(struct report_context *c)
{
	const struct report *r = c->r;
	uint32_t nr = 0;

	if (!r->task || !r->nr_tasks)
		return;
	fprintf(c->f, "\nTasks\n");
	for (int wanted = 0; wanted < 2; wanted++)
		for (uint32_t i = 0; i < r->nr_tasks; i++)
			if (rank(r, &r->task[i]) == wanted &&
			    nr++ < MAX_TASKS)
				print_task(c, &r->task[i]);
	if (nr > MAX_TASKS)
		fprintf(c->f, "  ... and %u more\n", nr - MAX_TASKS);
}
