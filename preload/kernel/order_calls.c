/* SPDX-License-Identifier: MIT */
/*
 * order_calls.c - what system calls order, for the race detector.
 *
 * Tasks also talk through the kernel: a byte in a pipe, a file that is there, a
 * connection to oneself, a child that answers. Whoever reads it has seen what
 * came before it was written. Which write a read answers is not known in
 * general, so calls meet in a few channels, by what they could tell of each
 * other. That may order more than there is, which can hide a race in one
 * schedule, and never invents one.
 */
#include "preload/memory/access.h"
#include "preload/kernel/files.h"
#include "preload/memory/freed.h"
#include "scheduler/objects.h"

/*
 * Clocks behind those of the scheduler's objects. Nobody releases to EVENTS
 * alone: a file may show what other processes were told.
 */
enum channel {
	FILES = SCHED_MAX_OBJECTS + 1,	/* names and contents of files */
	EVENTS = SCHED_MAX_OBJECTS + 2,	/* what descriptors give */
	ROOM = SCHED_MAX_OBJECTS + 3,	/* that they take more */
};
static_assert(ROOM == RACES_MAX_OBJECTS, "one clock each");

/* Locks and leases; the other commands of fcntl(2) tell nothing. */
#define FCNTL_LOCKS (1ull << 5 | 1ull << 6 | 1ull << 7 | 1ull << 36 | \
		     1ull << 37 | 1ull << 38)

static bool has_been_full;

static void see(enum channel c)
{
	races_acquire(order_races, runtime_self(), c);
}

static void show(enum channel c)
{
	races_release_merge(order_races, runtime_self(), c);
}

static bool is_on(void)
{
	return order_is_on && runtime_mode == RUNTIME_CONTROLLED;
}

static uint32_t flags_of(const struct trap *t, const struct trap_entry *e)
{
	if (t->nr == __NR_fcntl)
		return t->arg[1] < 64 && FCNTL_LOCKS >> t->arg[1] & 1 ?
			       e->flags : 0;
	return e->flags;
}

/* Both ends have one object; who polls does not say which one it means. */
static void order_inside(const struct trap *t, uint32_t id, uint32_t flags)
{
	uint32_t object = runtime_object(SCHED_CLASS_FD,
					 (void *)(uintptr_t)
					 SCHED_FD_ADDRESS(SCHED_FD_INSIDE, id),
					 t->site);

	races_acquire(order_races, runtime_self(), object);
	races_release_merge(order_races, runtime_self(), object);
	show(flags & TRAP_F_SHOWS ? EVENTS : ROOM);
}

static void order_other(const struct trap_entry *e, uint32_t flags)
{
	if (flags & TRAP_F_SEES) {
		see(FILES);
		see(EVENTS);
	}
	if (flags & TRAP_F_SHOWS) {
		if (has_been_full)
			see(ROOM);
		show(FILES);
		show(EVENTS);
	}
	if (e->wait == FILES_WAIT_IN)
		show(ROOM);
}

void order_call(const struct trap *t, const struct trap_entry *e,
		enum files_kind kind, uint32_t id)
{
	uint32_t flags;

	if (!is_on())
		return;
	flags = flags_of(t, e);
	if (!(flags & (TRAP_F_SEES | TRAP_F_SHOWS)))
		return;
	if (flags & TRAP_F_MANY) {
		see(EVENTS);
		see(ROOM);
	} else if (flags & TRAP_F_FILES || kind == FILES_REGULAR) {
		if (flags & TRAP_F_SEES)
			see(FILES);
		if (flags & TRAP_F_SHOWS)
			show(FILES);
	} else if (kind == FILES_INSIDE) {
		order_inside(t, id, flags);
	} else if (kind == FILES_OTHER) {
		order_other(e, flags);
	}
}

void order_descriptor(const struct trap *t, uint64_t fd)
{
	if (is_on() && files_kind_of(fd) == FILES_INSIDE)
		order_inside(t, files_inside_id(fd), TRAP_F_SHOWS);
}

void order_note_full(void)
{
	has_been_full = true;
}

void order_show_all(void)
{
	if (!is_on())
		return;
	show(FILES);
	show(EVENTS);
}

/*
 * By another task, to this one or to the process; by a timer or a descriptor
 * that another one set up; by a child.
 */
void order_take_signal(void)
{
	struct scheduler *s = runtime_scheduler();

	if (!is_on())
		return;
	runtime_acquire_order(scheduler_object_find(s, SCHED_CLASS_SIGNAL,
						    s->current));
	runtime_acquire_order(scheduler_object_find(s, SCHED_CLASS_SIGNAL, 0));
	see(EVENTS);
}

void order_new_memory(uint64_t addr, uint64_t bytes)
{
	freed_forget(addr, bytes);
	if (is_on())
		races_forget(order_races, addr, bytes);
}
