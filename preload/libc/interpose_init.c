/* SPDX-License-Identifier: MIT */
/*
 * interpose_init.c - the table of real functions, and what all interposers
 * share.
 *
 * What may be added here: helpers that two interpose_*.c files need. No
 * interposed function, and no decision about scheduling.
 */
#include "preload/libc/interpose.h"

#include <dlfcn.h>
#include <stddef.h>

struct interpose_real real;

static const struct {
	const char *name;
	size_t offset;
} slots[] = {
#define SLOT(name) { #name, offsetof(struct interpose_real, name) },
	INTERPOSE_REAL(SLOT)
#undef SLOT
};

/*
 * The state is set before the lookups, because dlsym() may allocate and the
 * target's malloc may lock a mutex, which gets here again and must go on with
 * what is known so far. A missing symbol stays NULL: only calling it hurts.
 */
void interpose_init(void)
{
	if (real.ready != INTERPOSE_UNKNOWN)
		return;
	real.ready = INTERPOSE_BUSY;
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		void **slot = (void **)((char *)&real + slots[i].offset);

		*slot = dlsym(RTLD_NEXT, slots[i].name);
	}
	real.ready = INTERPOSE_READY;
}

void interpose__misuse(uint32_t object, uint64_t pc, const char *message)
{
	runtime_end(CONTROL_VERDICT_MISUSE, 0, object, pc, message);
}

bool interpose__has_waiter(uint32_t object, uint16_t kind, uint16_t kind2)
{
	const struct scheduler *s = runtime_scheduler();

	for (uint32_t i = 0; i < s->nr_live; i++) {
		const struct sched_task *t = &s->task[s->live[i]];

		if (t->id != s->current && t->op.object == object &&
		    (t->op.kind == kind || t->op.kind == kind2))
			return true;
	}
	return false;
}

enum interpose_interruption interpose__was_interrupted(void)
{
	struct sched_task *t = runtime_self_task();
	uint16_t flags = t->flags;

	if (__builtin_expect(!(flags & SCHED_TASK_INTERRUPTED), 1))
		return INTERPOSE_UNDISTURBED;
	t->flags &= (uint16_t)~INTERPOSE_INTERRUPTION;
	interpose__testcancel(t->pc);
	if (flags & SCHED_TASK_CANCELLED)
		return INTERPOSE_BY_CANCEL;
	return flags & SCHED_TASK_RESTARTS ? INTERPOSE_BY_RESTARTING
					   : INTERPOSE_BY_SIGNAL;
}
