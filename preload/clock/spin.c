/* SPDX-License-Identifier: MIT */
/*
 * spin.c - loops without operations: `while (!flag);`.
 *
 * Such a loop never reaches the runtime, so the tool, seeing no step for some
 * milliseconds, sends a probe signal. The probe single-steps the task and
 * looks whether its registers come back to an earlier state: then it goes
 * round without progress and can only be helped by another task. It gives way
 * with a SPIN operation in the state of its round that has the lowest address,
 * so nothing depends on when the probe came. When it goes on it is stepped at
 * once, without another probe.
 * A task that computes never repeats its registers, and the probe leaves no
 * trace in it.
 *
 * CONTROL_PROBE_FORCE preempts in any case (TICK): the last resort, where the
 * tool would else take the run for stuck, for loops that count while they wait.
 *
 * A replay steps the task that a probe meets to the recorded address, and has
 * it give way there; or where it comes to the runtime. Wherever that is, it
 * does nothing in between that others see.
 */
#include "preload/memory/access.h"
#include "preload/clock/clock.h"
#include "preload/core/rounds.h"

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

enum phase {
	LOOK = 0,		/* for a state that comes again */
	SCAN,			/* one round more, for its lowest state */
	REACH,			/* go on to that */
	AGAIN,			/* it must come back as it did before */
	FOLLOW,			/* a replay: go on to the recorded address */
};

static bool is_stepping;
static bool was_stepping_before;	/* the target's own trap flag */
static enum phase phase;
static uint32_t nr_steps, next_mark, max_steps = MIN_STEPS;
static uint32_t marked_at, period;	/* of the loop that was found */
static struct regs mark;	/* state to come back to */
static struct regs lowest;
static uint64_t recorded_pc;

bool spin_is_due;

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

static struct runtime_op make_op(uint16_t kind)
{
	struct scheduler *s = runtime_scheduler();

	/* Nobody else has run since its round began. */
	s->task[s->current].idle_effects = s->nr_effects + 1;
	s->task[s->current].idle_lockings = 0;
	runtime_control->counters.spins++;
	/* Where in its loop the probe meets it is not for the digest. */
	return (struct runtime_op){
		.kind = kind,
		.flags = EXPLORE_OP_F_YIELDS | EXPLORE_OP_F_PROBED |
			 (kind == EXPLORE_OP_SPIN ? EXPLORE_OP_F_IDLE : 0),
	};
}

static void give_way(struct ucontext *uc, uint16_t kind)
{
	struct runtime_op op = make_op(kind);

	runtime_control->probe = CONTROL_PROBE_NONE;
	trap_preempt(uc, &op);
}

/* ------------------------------------------------------------------ steps */

bool spin_is_stepping(void)
{
	return is_stepping;
}

static void start_stepping(struct sigcontext *m, enum phase first)
{
	is_stepping = true;
	was_stepping_before = m->eflags & TRAP_FLAG;
	phase = first;
	nr_steps = 0;
	marked_at = 0;
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

/* ------------------------------------------------------------- in a replay */

/* In a replay: what was recorded when a probe met the task here; or 0. */
static uint16_t recorded_kind(void)
{
	const struct sched_event *e = core_recorded();

	return e && e->flags & SCHED_EVENT_PROBED ? e->kind : 0;
}

void spin_look_ahead(void)
{
	spin_is_due = recorded_kind() != 0;
}

void spin_now(void)
{
	struct scheduler *s = runtime_scheduler();

	while (spin_is_due) {
		struct runtime_op op = make_op(recorded_kind());

		spin_is_due = false;
		core_announce(&op);
		scheduler_yielded(s, s->current, true);
		core_enter();	/* and looks ahead */
	}
}

/* The next event is the current task's. It gives way where it stands. */
static void give_way_as_recorded(struct ucontext *uc)
{
	spin_is_due = false;
	give_way(uc, recorded_kind());
}

/* Whether the replay leaves nothing to be found out. */
static bool is_told(struct ucontext *uc)
{
	struct sigcontext *m = &uc->uc_mcontext;

	if (!core_env.script)
		return false;
	while (spin_is_due && recorded_kind() == EXPLORE_OP_SPIN) {
		recorded_pc = core_recorded()->pc;
		if (m->rip != recorded_pc) {
			start_stepping(m, FOLLOW);
			return true;
		}
		give_way_as_recorded(uc);
	}
	if (spin_is_due)
		give_way_as_recorded(uc);
	return core_recorded() != NULL;
}

/* ----------------------------------------------------------------- probes */

RUNTIME_HIDDEN void spin_probe(struct ucontext *uc);
void spin_probe(struct ucontext *uc)
{
	struct sigcontext *m = &uc->uc_mcontext;

	if (is_stepping || clock_is_stepping() ||
	    trap_is_runtime_code(m->rip) || patch_site_of(m->rip) ||
	    is_told(uc))
		return;
	if (runtime_control->probe == CONTROL_PROBE_FORCE) {
		give_way(uc, EXPLORE_OP_TICK);
		return;
	}
	start_stepping(m, LOOK);
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

/* It spins. When it goes on, it most likely still does. */
static void go_round(struct ucontext *uc)
{
	struct sigcontext *m = &uc->uc_mcontext;

	stop_stepping(m);
	max_steps = MIN_STEPS;
	give_way(uc, EXPLORE_OP_SPIN);
	if (clock_is_counter() || is_stepping || is_told(uc))
		return;
	start_stepping(m, AGAIN);
}

static bool is_over(const struct sigcontext *m)
{
	uint32_t limit = phase == LOOK ? max_steps :
			 phase == FOLLOW ? 2 * MAX_STEPS : period;

	return trap_is_runtime_code(m->rip) || patch_site_of(m->rip) ||
	       nr_steps > limit;
}

static void give_up(struct ucontext *uc)
{
	struct sigcontext *m = &uc->uc_mcontext;

	stop_stepping(m);
	if (phase == LOOK && max_steps < MAX_STEPS)
		max_steps *= 2;
	runtime_control->probe = CONTROL_PROBE_NONE;
	if (phase == FOLLOW && nr_steps > 2 * MAX_STEPS && spin_is_due)
		give_way_as_recorded(uc);
}

static bool is_lower(const struct regs *a, const struct regs *b)
{
	if (a->ip != b->ip)
		return a->ip < b->ip;
	return memcmp(a, b, sizeof(*a)) < 0;
}

/*
 * Brent's way to find a cycle: keep one earlier state, replaced at powers of
 * two, and compare.
 */
static void look(const struct regs *now)
{
	if (!memcmp(now, &mark, sizeof(*now))) {
		phase = SCAN;
		period = nr_steps - marked_at;
		nr_steps = 0;
		lowest = *now;
	} else if (nr_steps == next_mark) {
		mark = *now;
		marked_at = nr_steps;
		next_mark *= 2;
	}
}

static void scan(const struct regs *now)
{
	if (is_lower(now, &lowest))
		lowest = *now;
	if (nr_steps == period) {
		phase = REACH;
		nr_steps = 0;
	}
}

/* One single-step. Returns false when the trap is not ours. */
RUNTIME_HIDDEN bool spin_step(struct ucontext *uc);
bool spin_step(struct ucontext *uc)
{
	struct sigcontext *m = &uc->uc_mcontext;
	struct regs now;

	if (!is_stepping)
		return false;
	nr_steps++;
	if (is_over(m)) {
		give_up(uc);
		return true;
	}
	if (phase == FOLLOW) {
		if (m->rip == recorded_pc) {
			stop_stepping(m);
			is_told(uc);
		}
		return true;
	}
	read_regs(&now, m);
	if (phase == LOOK)
		look(&now);
	else if (phase == SCAN)
		scan(&now);
	if ((phase == REACH && !memcmp(&now, &lowest, sizeof(now))) ||
	    (phase == AGAIN && !memcmp(&now, &mark, sizeof(now))))
		go_round(uc);
	return true;
}
