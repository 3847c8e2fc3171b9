/* SPDX-License-Identifier: MIT */
/*
 * spin.c - loops without operations: `while (!flag);`.
 *
 * Such a loop never reaches the runtime, so the tool, seeing no step for some
 * milliseconds, sends a probe signal. The probe single-steps the task and
 * looks whether its registers come back to an earlier state: then it goes
 * round without progress and can only be helped by another task. It gives way
 * with a SPIN operation, always in the same state, so nothing depends on when
 * the probe came. A task that computes never repeats its registers, and the
 * probe leaves no trace in it.
 *
 * CONTROL_PROBE_FORCE preempts in any case (TICK): the last resort for loops
 * that count while they wait.
 */
#include "preload/clock.h"

#define TRAP_FLAG 0x100ull
#define MIN_STEPS 64u	/* of a run's first probe; doubled by each in vain */
#define MAX_STEPS 4096u
#define STACK_WORDS 64
#define HELD_FLAGS 0x8d5ull	/* the arithmetic flags */

struct regs {
	uint64_t r[16];
	uint64_t ip, flags;
	/* Of the stack's top: a loop may count in memory, mostly there. */
	uint64_t stack;
};

static bool is_stepping;
static bool was_stepping_before;	/* the target's own trap flag */
static uint32_t nr_steps, next_mark, max_steps = MIN_STEPS;
static struct regs mark;	/* state to come back to */

static void read_regs(struct regs *g, const struct sigcontext *m)
{
	memcpy(g->r, &m->r8, sizeof(g->r));	/* r8 .. rsp, 16 in a row */
	g->ip = m->rip;
	g->flags = m->eflags & HELD_FLAGS;
	g->stack = 0;
	for (int i = -16; i < STACK_WORDS; i++) {
		uint64_t word;

		if (!sys_load64((uint64_t *)(uintptr_t)(m->rsp & ~7ull) + i,
				&word))
			break;
		g->stack = (g->stack ^ word) * 0x9e3779b97f4a7c15ull;
		g->stack ^= g->stack >> 29;
	}
}

static void give_way(struct ucontext *uc, uint16_t kind)
{
	/* Where in its loop the probe meets it is not for the digest. */
	const struct runtime_op op = {
		.kind = kind,
		.flags = EXPLORE_OP_F_YIELDS,
	};

	runtime_control->counters.spins++;
	runtime_control->probe = CONTROL_PROBE_NONE;
	trap_preempt(uc, &op);
}

bool spin_is_stepping(void)
{
	return is_stepping;
}

RUNTIME_HIDDEN void spin_probe(struct ucontext *uc);
void spin_probe(struct ucontext *uc)
{
	struct sigcontext *m = &uc->uc_mcontext;

	if (is_stepping || clock_is_stepping() ||
	    trap_is_runtime_code(m->rip) || patch_site_of(m->rip))
		return;
	if (runtime_control->probe == CONTROL_PROBE_FORCE) {
		give_way(uc, EXPLORE_OP_TICK);
		return;
	}
	is_stepping = true;
	was_stepping_before = m->eflags & TRAP_FLAG;
	nr_steps = 0;
	next_mark = 1;
	read_regs(&mark, m);
	m->eflags |= TRAP_FLAG;
}

static void stop_stepping(struct sigcontext *m)
{
	is_stepping = false;
	if (!was_stepping_before)
		m->eflags &= ~TRAP_FLAG;
}

/*
 * The task that a probe steps has come to a system call: it gets on, and the
 * trap flag must not go into a child, where nobody expects the steps.
 */
void spin_stop(struct ucontext *uc)
{
	if (is_stepping) {
		stop_stepping(&uc->uc_mcontext);
		runtime_control->probe = CONTROL_PROBE_NONE;
	}
}

/*
 * One single-step of a probe. Brent's way to find a cycle: keep one earlier
 * state, replaced at powers of two, and compare. Returns false when the trap
 * is not ours.
 */
RUNTIME_HIDDEN bool spin_step(struct ucontext *uc);
bool spin_step(struct ucontext *uc)
{
	struct sigcontext *m = &uc->uc_mcontext;
	struct regs now;

	if (!is_stepping)
		return false;
	if (trap_is_runtime_code(m->rip) || patch_site_of(m->rip) ||
	    ++nr_steps > max_steps) {
		stop_stepping(m);
		if (max_steps < MAX_STEPS)
			max_steps *= 2;
		runtime_control->probe = CONTROL_PROBE_NONE;
		return true;
	}
	read_regs(&now, m);
	if (!memcmp(&now, &mark, sizeof(now))) {
		stop_stepping(m);
		max_steps = MIN_STEPS;
		give_way(uc, EXPLORE_OP_SPIN);
		return true;
	}
	if (nr_steps == next_mark) {
		mark = now;
		next_mark *= 2;
	}
	return true;
}
