/* SPDX-License-Identifier: MIT */
/*
 * notes.c - what a report says of a run that is no operation.
 *
 * The last CONTROL_MAX_NOTES are kept. A place in the target is found by
 * following return addresses up the stack, each proved: the call before it
 * leads to the function that the one below is in. Where that cannot be proved
 * (calls through registers), the place is unknown.
 */
#include "preload/core/notes.h"

#include <linux/fcntl.h>

#include "preload/kernel/traps.h"

#define NR_WORDS 96u		/* of the stack, up to the caller */
#define MAX_FUNCTION 2048u	/* bytes from an entry to a call */

/* Of each task: 1 + the number of its note of a cancellation; 0: none. */
static uint64_t cancelled[SCHED_MAX_TASKS];

void notes_start_run(void)
{
	runtime_control->nr_notes = 0;
}

static struct control_note *add(const struct control_note *n)
{
	struct control *c = runtime_control;
	struct control_note *to = &c->note[c->nr_notes++ % CONTROL_MAX_NOTES];

	*to = *n;
	return to;
}

/* ---------------------------------------------------------------- places */

static uint64_t load64(uint64_t addr)
{
	uint64_t v;

	return sys_load64((const void *)(uintptr_t)addr, &v) ? v : 0;
}

/* What a jump through memory at `at` leads to, behind endbr64 and bnd. */
static uint64_t through_stub(uint64_t at)
{
	uint64_t start = at, bytes = load64(at);

	if ((bytes & 0xffffffff) == 0xfa1e0ff3)
		bytes = load64(at += 4);
	if ((bytes & 0xff) == 0xf2)
		bytes = load64(++at);
	if ((bytes & 0xffff) != 0x25ff)
		return start;
	return load64(at + 6 + (uint64_t)(int64_t)(int32_t)(bytes >> 16));
}

/* What the call before a return address leads to; 0: not known. */
static uint64_t called(uint64_t ra)
{
	uint64_t bytes = load64(ra - 8);
	uint64_t there = ra + (uint64_t)(int64_t)(int32_t)(bytes >> 32);

	if ((bytes >> 16 & 0xffff) == 0x15ff)
		return load64(there);
	if ((bytes >> 24 & 0xff) == 0xe8)
		return through_stub(there);
	return 0;
}

/* Of the module's code; the runtime and the C library are none. */
static bool is_program(uint64_t pc)
{
	const struct control_module *m = &runtime_control->module[0];

	return runtime_control->nr_modules && pc >= m->start && pc < m->end;
}

/* Where the program called what came to `pc`; 0: unknown. */
static uint64_t caller_of(uint64_t pc, uint64_t sp)
{
	for (uint32_t i = 0; i < NR_WORDS && !is_program(pc); i++) {
		uint64_t ra = load64(sp + 8 * i), entry;

		if (ra < 4096)
			continue;
		entry = called(ra);
		if (entry && pc - entry < MAX_FUNCTION)
			pc = ra;
	}
	return is_program(pc) ? pc : 0;
}

static uint64_t place_of(const struct trap *t)
{
	return caller_of(t->site, core_self()->reg_sp);
}

/* ---------------------------------------------------------- system calls */

enum what {
	WHAT_NOTHING = 0,
	WHAT_MAKES,	/* the result is a descriptor */
	WHAT_USES,	/* by the table: an argument is one */
	WHAT_CLOSES,
	WHAT_FORKS,
	WHAT_RETURNS,	/* from a signal handler */
};

static enum what what_is(const struct trap *t)
{
	switch (t->nr) {
	case __NR_open:
	case __NR_openat:
	case __NR_openat2:
	case __NR_creat:
	case __NR_dup:
	case __NR_dup2:
	case __NR_dup3:
	case __NR_socket:
	case __NR_accept:
	case __NR_accept4:
	case __NR_eventfd:
	case __NR_eventfd2:
	case __NR_memfd_create:
	case __NR_mq_open:
		return WHAT_MAKES;
	case __NR_close:
		return WHAT_CLOSES;
	case __NR_fork:
	case __NR_vfork:
	case __NR_clone:
	case __NR_clone3:
		return WHAT_FORKS;
	case __NR_rt_sigreturn:
		return WHAT_RETURNS;
	default:
		return trap_entry(t->nr)->fd_arg ? WHAT_USES : WHAT_NOTHING;
	}
}

/* What the descriptor is, by its name; the end of it where it is long. */
static void name_fd(struct control_note *n, int64_t fd)
{
	char link[32], path[4096];
	int64_t bytes, start;

	n->fd = (int32_t)fd;
	runtime_format(link, sizeof(link), "/proc/self/fd/%lu", (uint64_t)fd);
	bytes = sys_call4(__NR_readlinkat, AT_FDCWD, link, path, sizeof(path));
	if (bytes <= 0)
		return;
	start = bytes < CONTROL_NOTE_BYTES ? 0 : bytes - CONTROL_NOTE_BYTES + 1;
	memcpy(n->text, path + start, (size_t)(bytes - start));
	n->text[bytes - start] = '\0';
}

void notes_before(struct control_note *n, const struct trap *t)
{
	const struct trap_entry *e = trap_entry(t->nr);
	enum what what = what_is(t);

	*n = (struct control_note){
		.step = runtime_control->scheduler.step,
		.addr = t->site,
		.task = runtime_self(),
		.number = (int32_t)t->nr,
		.fd = -1,
		.kind = CONTROL_NOTE_CALL,
	};
	if (what == WHAT_RETURNS)
		notes_not_cancelled();
	if (what == WHAT_NOTHING || what == WHAT_RETURNS)
		n->kind = CONTROL_NOTE_NONE;
	else
		n->pc = place_of(t);
	if (what == WHAT_USES || what == WHAT_CLOSES)
		name_fd(n, (int32_t)t->arg[e->fd_arg - 1]);
}

/* The first operation of this task since then, if there is one. */
static bool find_operation(struct control_note *n)
{
	const struct control *c = runtime_control;

	for (uint64_t i = n->step; i < c->scheduler.step; i++)
		if (c->event[i].task == n->task &&
		    c->event[i].point == EXPLORE_POINT_TASK) {
			n->is_of_op = 1;
			n->step = i;
			return true;
		}
	n->step = c->scheduler.step;
	return false;
}

void notes_after(struct control_note *n, const struct trap *t, int64_t result)
{
	enum what what = what_is(t);

	if (n->kind == CONTROL_NOTE_NONE)
		return;
	if (what == WHAT_MAKES && result >= 0)
		name_fd(n, result);
	if (what == WHAT_FORKS && result > 0) {
		n->kind = CONTROL_NOTE_FORK;
		n->number = (int32_t)result;
	}
	/* Whatever opens and closes nothing has a row by its operation only. */
	if (find_operation(n) ||
	    ((what == WHAT_MAKES || what == WHAT_CLOSES) && result >= 0))
		add(n);
}

/* ------------------------------------------------------------- the others */

static void add_of_last(enum control_note_kind kind, uint64_t addr,
			uint64_t block_pc)
{
	const struct scheduler *s = &runtime_control->scheduler;
	struct control_note n = {
		.step = s->step - 1,
		.addr = addr,
		.block_pc = block_pc,
		.task = s->current,
		.kind = (uint8_t)kind,
		.is_of_op = 1,
	};

	if (notes_is_on() && s->step)
		add(&n);
}

void notes_free(uint64_t addr, uint64_t block_pc)
{
	add_of_last(CONTROL_NOTE_FREE, addr, block_pc);
}

void notes_joined_cancelled(void)
{
	add_of_last(CONTROL_NOTE_JOINED_CANCELLED, 0, 0);
}

void notes_cancelled(uint64_t pc)
{
	const struct control_task *k = core_self();
	struct control_note n = {
		.step = runtime_control->scheduler.step,
		.pc = pc ? pc : caller_of(k->reg_ip, k->reg_sp),
		.task = runtime_self(),
		.kind = CONTROL_NOTE_CANCELLED,
	};

	if (!notes_is_on())
		return;
	add(&n);
	cancelled[n.task] = runtime_control->nr_notes;
}

void notes_not_cancelled(void)
{
	struct control *c = runtime_control;
	uint64_t nr = cancelled[runtime_self()];

	cancelled[runtime_self()] = 0;
	if (!nr || c->nr_notes - nr >= CONTROL_MAX_NOTES)
		return;
	if (nr == c->nr_notes)
		c->nr_notes--;
	else
		c->note[(nr - 1) % CONTROL_MAX_NOTES].kind = CONTROL_NOTE_NONE;
}

static void add_held(const struct trap *t, uint32_t object, uint32_t holder)
{
	struct control_note n = {
		.step = runtime_control->scheduler.step,
		.pc = place_of(t),
		.task = runtime_self(),
		.other = holder,
		.object = object,
		.kind = CONTROL_NOTE_HELD,
	};

	if (holder != n.task)
		add(&n);
}

void notes_fork(const struct trap *t)
{
	const struct scheduler *s = &runtime_control->scheduler;

	if (!notes_is_on())
		return;
	for (uint32_t i = 0; i < s->nr_objects; i++) {
		const struct sched_object *o = &s->object[i];

		if (o->owner)
			add_held(t, i + 1, o->owner - 1);
		else if (o->class == SCHED_CLASS_RWLOCK && o->nr_holders)
			add_held(t, i + 1, o->holder[0]);
	}
}
