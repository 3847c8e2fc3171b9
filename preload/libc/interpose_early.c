/* SPDX-License-Identifier: MIT */
/*
 * interpose_early.c - objects that constructors initialise before main.
 *
 * The model starts with main, but what an initialisation said (the clock of a
 * condition variable, a barrier's count) is only told once. So it is kept in
 * private memory, which every run gets with its fork, and entered into the
 * model when the run starts.
 *
 * What may be added here: nothing that is not known from an init call.
 */
#include "preload/libc/interpose.h"
#include "scheduler/objects.h"

#define MAX_EARLY 512u

/* Exactly those with flags or a limit: the rest is what the model assumes. */
static struct {
	uint64_t addr;
	enum sched_class class;
	uint32_t flags;
	uint32_t limit;
} early[MAX_EARLY];
static uint32_t nr_early;

static uint32_t find(enum sched_class class, uint64_t addr)
{
	uint32_t i = 0;

	while (i < nr_early &&
	       (early[i].addr != addr || early[i].class != class))
		i++;
	return i;
}

/* When the table is full the model assumes the ordinary. */
static void note_early(enum sched_class class, uint64_t addr, uint32_t flags,
		       uint32_t limit)
{
	uint32_t i = find(class, addr);

	if (!flags && !limit) {
		if (i < nr_early)
			early[i] = early[--nr_early];
		return;
	}
	if (i == MAX_EARLY)
		return;
	if (i == nr_early)
		nr_early++;
	early[i].addr = addr;
	early[i].class = class;
	early[i].flags = flags;
	early[i].limit = limit;
}

static void note_now(enum sched_class class, uint64_t addr, uint32_t flags,
		     uint32_t limit, uint64_t pc)
{
	struct scheduler *s = runtime_scheduler();
	uint32_t id = scheduler_object_find(s, class, addr);
	struct sched_object *o;

	if (!id && !flags && !limit)
		return;
	if (!id)
		id = runtime_object(class, (void *)(uintptr_t)addr, pc);
	scheduler_object_reset(s, id);
	o = scheduler_object(s, id);
	o->flags = (uint8_t)flags;
	o->limit = limit;
}

void interpose__initialised(enum sched_class class, const volatile void *addr,
			    uint32_t flags, uint32_t limit, uint64_t pc)
{
	uint64_t at = (uint64_t)(uintptr_t)addr;

	if (runtime_is_on())
		note_now(class, at, flags, limit, pc);
	else if (runtime_control)
		note_early(class, at, flags, limit);
}

void interpose_start_run(void)
{
	for (uint32_t i = 0; i < nr_early; i++)
		note_now(early[i].class, early[i].addr, early[i].flags,
			 early[i].limit, 0);
}
