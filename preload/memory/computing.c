/* SPDX-License-Identifier: MIT */
/*
 * computing.c - virtual time while a task computes.
 *
 * Time passes with operations. While a timer of the target is to come, it also
 * passes with watched instructions and with system calls that are no
 * operations: a loop may go on until a handler lets it stop. It passes faster
 * where the task finds the same again and again. What counts is executed, and
 * never measured, so a timer expires at the same place in each run of the same
 * schedule.
 */
#include "preload/memory/access.h"
#include "preload/kernel/traps.h"

#define BATCH 256u
#define NS_PER_ACCESS 10u
#define FASTER_WHERE_SAME 16u
#define CALLS_PER_LOOK 64u
#define NS_PER_CALL 1000u
#define STEADY_LOOKS 8u
#define NR_STEADY 256u

uint32_t computing_left;

/* Reads that were looked at lately, by site. */
static struct {
	uint64_t addr, value;
	uint32_t site, nr_same;
} steady[NR_STEADY];

void computing_pass_time(bool is_on)
{
	if (!is_on) {
		computing_left = 0;
	} else if (!computing_left) {
		access_second_task();	/* what was hot may be of use now */
		computing_left = BATCH;
	}
}

static bool advance(uint64_t ns)
{
	struct scheduler *s = runtime_scheduler();

	scheduler_advance(s, s->now_ns + ns);
	return s->busy_alarm_ns <= s->now_ns;
}

bool computing_batch(bool finds_same)
{
	computing_left = BATCH;
	return advance(BATCH * NS_PER_ACCESS *
		       (finds_same ? FASTER_WHERE_SAME : 1));
}

void computing_call(const struct trap *t)
{
	static uint32_t nr_calls;
	struct runtime_op op = { .kind = EXPLORE_OP_YIELD, .pc = t->site };

	if (++nr_calls % CALLS_PER_LOOK)
		return;
	if (advance(CALLS_PER_LOOK * NS_PER_CALL))
		core_point(&op);
}

void computing_look(uint64_t addr, uint32_t site)
{
	uint32_t i = site % NR_STEADY;
	uint64_t value = 0;

	sys_load64((void *)(uintptr_t)(addr & ~7ull), &value);
	if (steady[i].site == site && steady[i].addr == addr &&
	    steady[i].value == value) {
		steady[i].nr_same++;
		return;
	}
	steady[i].site = site;
	steady[i].addr = addr;
	steady[i].value = value;
	steady[i].nr_same = 0;
}

bool computing_is_steady(uint32_t site)
{
	return computing_left && steady[site % NR_STEADY].site == site &&
	       steady[site % NR_STEADY].nr_same >= STEADY_LOOKS &&
	       !(runtime_control->access[site].flags & INSTRUMENT_WRITES);
}
