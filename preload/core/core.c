/* SPDX-License-Identifier: MIT */
/*
 * core.c - scheduling points, the switch between tasks, the end of a run.
 *
 * core_enter() (entry.S) saves the current task on its own stack and calls
 * core_schedule() on the runtime's stack; what that returns is the stack of
 * the task to continue. Nothing of a choice stays on the runtime's stack, so
 * one stack serves all tasks.
 */
#include "preload/core/core.h"

#include <linux/futex.h>
#include <linux/mman.h>

#include "preload/core/notes.h"
#include "preload/memory/access.h"
#include "preload/clock/clock.h"
#include "preload/core/rounds.h"
#include "preload/kernel/files.h"
#include "preload/kernel/ids.h"
#include "strategies/strategies.h"
#include "strategies/replay.h"
#include "scheduler/objects.h"
#include "scheduler/cycle.h"

uint32_t runtime_mode;
struct control *runtime_control;
struct runtime_relock runtime_relock;
struct scheduler_env core_env;
uint64_t core_stack_top;

void core_init(void)
{
	int64_t p;

	/* Shared: a fork then copies neither the pages nor their tables. */
	p = sys_call6(__NR_mmap, 0, CORE_STACK_BYTES, 3 /* read, write */,
		      MAP_SHARED | MAP_ANONYMOUS, (uint64_t)-1, 0);
	core_stack_top = (uint64_t)p + CORE_STACK_BYTES;
	stacks_init();
}

/* ---------------------------------------------------------- idle waits */

#define IDLE_SLICE_NS 20000000ull
#define CHILD_SLICE_NS 1000000ull

/*
 * Nobody can run before a descriptor, a child or a signal from outside is
 * there. Wait for it in real time; virtual time passes along, so a deadline
 * that comes first is met.
 */
static bool is_any_enabled(const struct scheduler *s)
{
	for (uint32_t i = 0; i < s->nr_live; i++)
		if (scheduler_is_enabled(s, s->live[i]))
			return true;
	return false;
}

static bool is_any_external(const struct scheduler *s)
{
	for (uint32_t i = 0; i < s->nr_live; i++)
		if (s->task[s->live[i]].flags & SCHED_TASK_EXTERNAL)
			return true;
	return false;
}

/* When there is no descriptor to wait for: sleep, until a signal comes. */
static void sleep_really(uint64_t ns)
{
	uint64_t time[2] = { ns / 1000000000ull, ns % 1000000000ull };

	if (ns && !signals_arrived)
		sys_call5(__NR_ppoll, 0, 0, time, 0, 8);
}

/*
 * Virtual time does not run ahead of children that run: it does not jump while
 * one of them lives. That is bounded, as one may live for ever and have no
 * business with us.
 */
#define CHILD_BUDGET_NS 8000000000ull

static uint64_t child_budget_ns;

static bool is_child_waited_for(struct scheduler *s)
{
	s->has_world = s->has_world && child_budget_ns &&
		       process_has_live_child();
	return s->has_world;
}

static void spend_on_children(uint64_t ns)
{
	child_budget_ns -= ns < child_budget_ns ? ns : child_budget_ns;
}

/* Who waits for a signal waits for nothing when nobody is left to send one. */
static void give_up_signals(struct scheduler *s)
{
	if (process_has_live_child() || signals_arrived)
		return;
	for (uint32_t i = 0; i < s->nr_live; i++)
		if (s->task[s->live[i]].op.kind == EXPLORE_OP_SIGNAL_WAIT)
			s->task[s->live[i]].flags &=
				(uint16_t)~SCHED_TASK_EXTERNAL;
}

static void wait_for_the_world(struct scheduler *s)
{
	uint64_t begin = time_real_ns(), start = s->now_ns, now;
	uint64_t deadline = scheduler_next_deadline(s);
	bool is_external = is_any_external(s);

	/* The children ended, or had their time: now it may jump. */
	if (!is_child_waited_for(s) && !is_external)
		return;
	if (s->alarm_ns < deadline)
		deadline = s->alarm_ns;
	s->waited_step = s->step + 1;
	runtime_control->counters.real_waits++;
	for (;;) {
		uint64_t slice = is_external ? IDLE_SLICE_NS : CHILD_SLICE_NS;

		if (deadline != SCHED_NEVER && deadline - s->now_ns < slice)
			slice = deadline > s->now_ns ? deadline - s->now_ns : 0;
		if (is_external && files_nr_waits) {
			if (files_refresh(slice))
				break;
		} else {
			sleep_really(slice);
			files_refresh(0);
		}
		signals_collect();
		now = start + (time_real_ns() - begin);
		if (!is_external)
			spend_on_children(now - s->now_ns);
		scheduler_idle(s, now);
		if (timers_fire() || s->now_ns >= deadline) {
			files_refresh(0);
			break;
		}
		signals_tell();
		give_up_signals(s);
		if (is_any_enabled(s) ||
		    (is_external ? !is_any_external(s)
				 : !is_child_waited_for(s)))
			return;
	}
}

/* Nobody can do anything before a timer of the target expires. */
static void jump_to_alarm(struct scheduler *s)
{
	if (is_any_enabled(s))	/* they turn in circles, and compute */
		scheduler_advance(s, s->busy_alarm_ns);
	else
		scheduler_idle(s, s->alarm_ns);
	s->nr_spins = 0;
	timers_fire();
	files_refresh(0);
}

/*
 * All that can run wait for memory to change, so it seems. Is there anything
 * that could change it, or that was not looked at?
 */
static bool has_hope(struct scheduler *s)
{
	const uint64_t pause[2] = { 0, IDLE_SLICE_NS };

	/* In a replay, the end is where it was. */
	if (core_env.script && s->step >= core_env.nr_script)
		return false;
	/* Proofs depend on what is watched: it is the same in a replay. */
	if (access_watch_all() || core_env.script) {
		s->nr_spins = 0;
		return true;
	}
	if (!process_has_children())
		return false;
	/* One of them may write to memory that is shared with it. */
	runtime_control->counters.real_waits++;
	sys_call2(__NR_nanosleep, pause, 0);
	signals_collect();
	s->nr_spins /= 2;
	return true;
}

/* ------------------------------------------------------------ verdicts */

static uint64_t pc_of(uint32_t t)
{
	return runtime_control->scheduler.task[t].pc;
}

static _Noreturn void end_deadlock(struct scheduler *s)
{
	struct control_verdict *v = &runtime_control->verdict;
	uint32_t t = s->current;

	for (uint32_t i = 0; i < s->nr_live; i++) {
		uint32_t nr = scheduler_find_cycle(s, s->live[i], v->cycle, 16);

		if (nr) {
			v->nr_cycle = nr;
			t = s->live[i];
			break;
		}
	}
	misuse_check_waiters(s);
	if (s->task[t].state != SCHED_TASK_ALIVE)
		t = s->live[0];
	v->task = t;
	runtime_end(CONTROL_VERDICT_DEADLOCK, 0, s->task[t].op.object,
		    pc_of(t), "");
}

/* Whether it would come to an end nobody knows: what waits is told before. */
static _Noreturn void end_step_limit(struct scheduler *s)
{
	char text[128];

	runtime_format(text, sizeof(text),
		       "%lu operations since progress, %lu in all",
		       s->step - s->last_progress, s->step);
	runtime_end(CONTROL_VERDICT_STEP_LIMIT, 0, 0, pc_of(s->current), text);
}

static _Noreturn void end_run(enum sched_result why)
{
	struct scheduler *s = runtime_scheduler();

	switch (why) {
	case SCHED_DEADLOCK:
		end_deadlock(s);
	case SCHED_LIVELOCK:
		runtime_end(CONTROL_VERDICT_LIVELOCK, 0, 0, pc_of(s->current),
			    "all that can run wait in loops for memory to "
			    "change");
	case SCHED_STEP_LIMIT:
		end_step_limit(s);
	case SCHED_DIVERGED:
		runtime_end(CONTROL_VERDICT_DIVERGED, 0, 0, pc_of(s->current),
			    "the run left the recorded path");
	case SCHED_BAD_PICK:
		runtime_end(CONTROL_VERDICT_BAD_PICK, 0, 0, 0,
			    "the strategy's answer is not among the "
			    "candidates");
	case SCHED_FINISHED:
		runtime_end(CONTROL_VERDICT_EXIT, 0, 0, 0, "");
	default:
		runtime_end(CONTROL_VERDICT_INTERNAL, (int32_t)why, 0, 0,
			    "unexpected answer of the scheduler");
	}
}

/* Registers for an unwinder: those in the frame that core_enter() left. */
static void show_registers(struct control_task *k)
{
	const struct core_frame *f = (const void *)(uintptr_t)k->saved_sp;

	if (k->uses_trap_frame || !k->saved_sp)
		return;
	if (k->has_vectors) {	/* it stopped at an access */
		access_show(k);
		return;
	}
	k->reg_ip = f->ip;
	k->reg_sp = k->saved_sp + sizeof(*f);
	k->reg_bp = f->rbp;
	k->reg_bx = f->rbx;
	k->reg_12 = f->r12;
	k->reg_13 = f->r13;
	k->reg_14 = f->r14;
	k->reg_15 = f->r15;
}

static void freeze(struct scheduler *s)
{
	struct control *c = runtime_control;

	for (uint32_t i = 0; i < s->nr_live; i++)
		show_registers(core_task(s->live[i]));
	access_restore_all();	/* for a debugger */
	__atomic_store_n(&c->release, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&c->state, CONTROL_STATE_FROZEN, __ATOMIC_SEQ_CST);
	sys_call3(__NR_futex, &c->state, FUTEX_WAKE, INT32_MAX);
	while (!__atomic_load_n(&c->release, __ATOMIC_SEQ_CST))
		sys_call4(__NR_futex, &c->release, FUTEX_WAIT, 0, 0);
}

bool core_is_on_choice_stack(uint64_t sp)
{
	return core_stack_top - sp < CORE_STACK_BYTES;
}

/* Whether this runs where choices are made, with the task's context saved. */
static bool is_on_own_stack(void)
{
	return core_is_on_choice_stack(
		(uintptr_t)__builtin_frame_address(0));
}

/* The task ends the run right here: what an unwinder can start from. */
static inline __attribute__((always_inline)) void
show_here(struct control_task *k)
{
	__asm__ volatile("lea 0(%%rip), %%rax\n\t"
			 "mov %%rax, %0\n\t"
			 "mov %%rsp, %1\n\t"
			 "mov %%rbp, %2\n\t"
			 "mov %%rbx, %3\n\t"
			 : "=m"(k->reg_ip), "=m"(k->reg_sp), "=m"(k->reg_bp),
			   "=m"(k->reg_bx)
			 :
			 : "rax");
	__asm__ volatile("mov %%r12, %0\n\t"
			 "mov %%r13, %1\n\t"
			 "mov %%r14, %2\n\t"
			 "mov %%r15, %3\n\t"
			 : "=m"(k->reg_12), "=m"(k->reg_13), "=m"(k->reg_14),
			   "=m"(k->reg_15));
	k->uses_trap_frame = 1;
}

struct ending {
	enum control_verdict_kind kind;
	int32_t code;
	uint32_t object;
	uint64_t pc;
	const char *message;
};

static void finish(void *arg)
{
	const struct ending *e = arg;
	struct control *c = runtime_control;
	struct scheduler *s = &c->scheduler;
	struct control_verdict *v = &c->verdict;

	values_settle();
	if (v->kind == CONTROL_VERDICT_NONE) {
		v->code = e->code;
		v->object = e->object;
		v->pc = e->pc;
		v->step = s->step;
		if (e->kind != CONTROL_VERDICT_DEADLOCK &&
		    e->kind != CONTROL_VERDICT_PARTIAL_DEADLOCK)
			v->task = s->current;
		if (e->message[0])
			runtime_format(v->message, sizeof(v->message), "%s",
				       e->message);
		c->digest = s->digest;
		c->counters.turns = s->nr_turns;
		access_end_run();
		__atomic_store_n(&v->kind, (uint32_t)e->kind, __ATOMIC_SEQ_CST);
		if (c->config.flags & CONTROL_F_INSPECT)
			freeze(s);
	}
	for (;;)
		sys_call1(__NR_exit_group, e->kind == CONTROL_VERDICT_EXIT
						   ? e->code : 99);
}

void runtime_end(enum control_verdict_kind kind, int32_t code, uint32_t object,
		 uint64_t pc, const char *message)
{
	struct ending e = { kind, code, object, pc, message };

	if (!core_self()->uses_trap_frame && !is_on_own_stack())
		show_here(core_self());
	core_call(finish, &e);
	__builtin_unreachable();
}

/* ------------------------------------------------------------ schedule */

/*
 * A call into the runtime leaves no vector register live, and a signal frame
 * holds them. A patched site promises more: what it calls may switch tasks, so
 * they are saved below the task's stack pointer, where nothing is.
 */
#define VECTOR_BYTES 2752u	/* x87 to AVX-512, standard XSAVE layout */
#define VECTOR_MASK 0xe7u

static void *vector_area(uint64_t sp)
{
	return (void *)(uintptr_t)((sp - VECTOR_BYTES) & ~63ull);
}

static void save_vectors(uint64_t sp)
{
	char *area = vector_area(sp);

	memset(area + 512, 0, 64);	/* the header: XSAVE only adds to it */
	__asm__ volatile("xsave64 (%0)"
			 : : "r"(area), "a"(VECTOR_MASK), "d"(0) : "memory");
}

static void load_vectors(uint64_t sp)
{
	__asm__ volatile("xrstor64 (%0)"
			 : : "r"(vector_area(sp)), "a"(VECTOR_MASK), "d"(0)
			 : "memory");
}

uint64_t core_gs[SCHED_MAX_TASKS];
bool core_keeps_gs;

static void switch_gs(uint32_t from, uint32_t to)
{
	core_gs[from] = sys_get_gs();
	if (core_gs[to] != core_gs[from])
		sys_set_gs(core_gs[to]);
}

/* What core_enter() leaves to this. */
static void switch_from(struct control_task *from, struct control_task *to)
{
	struct core_frame *f = (void *)(uintptr_t)from->saved_sp;

	__asm__ volatile("stmxcsr %0\n\tfnstcw %1"
			 : "=m"(f->mxcsr), "=m"(f->fpcw));
	from->fs_base = sys_get_fs();
	sys_set_fs(to->fs_base);
	if (from->has_vectors)
		save_vectors(from->saved_sp);
	if (to->has_vectors)
		load_vectors(to->saved_sp);
}

/*
 * The log's pages, shared and mapped anew in each run, exist since earlier
 * ones. Reading one maps those around it, too, which writing does not: one page
 * fault for 16 of them.
 */
static void touch_log(const struct scheduler *s)
{
	const volatile uint64_t *last = &core_env.log[s->step].ticks;

	(void)*last;
}

uint64_t core_schedule(uint64_t saved_sp)
{
	struct control *c = runtime_control;
	struct scheduler *s = &c->scheduler;
	uint32_t from = s->current;
	enum sched_result r;

	c->task[from].saved_sp = saved_sp;
	values_settle();
	signals_collect();
	if (__builtin_expect(s->busy_alarm_ns <= s->now_ns, 0))
		timers_fire();
	files_refresh(0);
	signals_tell();
	touch_log(s);
	while ((r = scheduler_next(s, &core_env)) != SCHED_RUN) {
		if (r == SCHED_OUTSIDE)
			wait_for_the_world(s);
		else if (r == SCHED_ALARM)
			jump_to_alarm(s);
		else if (!(r == SCHED_LIVELOCK && has_hope(s)))
			end_run(r);
		signals_tell();
	}
	if (s->current != from && core_keeps_gs)
		switch_gs(from, s->current);
	if (s->current != from) {
		time_count(from);
		switch_from(&c->task[from], &c->task[s->current]);
		core_task_top = core_stack_of(s->current);
	}
	clock_start_slice(s->ticks);
	if (__builtin_expect(core_env.script != NULL, 0))
		spin_look_ahead();
	return c->task[s->current].saved_sp;
}

void core_announce(const struct runtime_op *op)
{
	struct scheduler *s = runtime_scheduler();
	struct sched_announce a = {
		.kind = op->kind,
		.flags = op->flags,
		.object = op->object,
		.object2 = op->object2,
		.site = op->pc ? modules_site(op->pc) : 0,
		.pc = op->pc,
		.addr = op->object ? scheduler_object(s, op->object)->addr : 0,
		.deadline_ns = op->deadline_ns,
	};

	if (__builtin_expect(spin_is_due, 0))
		spin_now();
	rounds_announce(op->kind);
	/* What disturbed an earlier wait is over. */
	s->task[s->current].flags &= (uint16_t)~SCHED_TASK_INTERRUPTED;
	scheduler_announce(s, s->current, &a);
}

/*
 * A lock that is held may close a cycle. That is final whatever the others do,
 * so it is reported at once and not only when nobody can run.
 */
static void check_cycle(struct scheduler *s, const struct runtime_op *op)
{
	struct control_verdict *v = &runtime_control->verdict;
	uint32_t cycle[16], nr;

	nr = scheduler_find_cycle(s, s->current, cycle, 16);
	if (nr) {
		v->nr_cycle = nr < 16 ? nr : 16;
		for (uint32_t i = 0; i < v->nr_cycle; i++)
			v->cycle[i] = cycle[i];
		v->task = s->current;
		runtime_end(CONTROL_VERDICT_DEADLOCK, 0, op->object, op->pc,
			    "");
	}
}

static bool is_lock(uint16_t kind)
{
	switch (kind) {
	case EXPLORE_OP_MUTEX_LOCK:
	case EXPLORE_OP_SPIN_LOCK:
	case EXPLORE_OP_RWLOCK_RDLOCK:
	case EXPLORE_OP_RWLOCK_WRLOCK:
	case EXPLORE_OP_FUTEX_LOCK_PI:
		return true;
	default:
		return false;
	}
}

static inline __attribute__((always_inline)) bool
point(const struct runtime_op *op, uint16_t task_flags)
{
	struct scheduler *s = runtime_scheduler();
	struct sched_task *self = &s->task[s->current];
	bool timed_out;

	if (order_is_on)
		order_announce(op);
	core_announce(op);
	self->flags |= task_flags;
	if (is_lock(op->kind) && !scheduler_is_enabled(s, s->current))
		check_cycle(s, op);
	core_enter();
	if (__builtin_expect(self->op.kind != op->kind, 0))
		return false;	/* disturbed: see signals_tell() */
	timed_out = self->op.flags & EXPLORE_OP_F_TIMEOUT;
	if (op->kind == EXPLORE_OP_YIELD)
		scheduler_yielded(s, s->current, false);
	misuse_check(op);
	if (order_is_on)
		order_apply(op, timed_out);
	return timed_out;
}

bool core_point(const struct runtime_op *op)
{
	return point(op, 0);
}

static bool point_handling(const struct runtime_op *op)
{
	return point(op, SCHED_TASK_HANDLES);
}

static bool point_cancelled(const struct runtime_op *op)
{
	return point(op, SCHED_TASK_HANDLES | SCHED_TASK_INTERRUPTED);
}

/* The wait that an operation is part of, while a handler runs. */
struct suspended_wait {
	uint32_t object, generation;
	uint8_t wake;
};

static struct suspended_wait suspend_wait(const struct sched_task *t)
{
	return (struct suspended_wait){ t->wait_object, t->wait_generation,
					t->wake };
}

/*
 * The task kept its place in the queue, unless it was woken meanwhile. A
 * handler that waited for something itself lost it: then the wait ends, as it
 * may without a reason.
 */
static void resume_wait(struct sched_task *t, const struct suspended_wait *w)
{
	t->wait_generation = w->generation;
	if (!w->object)
		t->wake = w->wake;
	else if (t->wait_object == w->object)
		t->wake = SCHED_WAKE_NONE;
	else
		t->wake = SCHED_WAKE_WOKEN;
}

/* What of a task's place the calls of its handlers overwrite. */
struct place {
	uint64_t reg[8];	/* reg_ip to reg_15 */
	uint32_t uses_trap_frame, has_vectors;
};
static_assert(offsetof(struct control_task, fs_base) == 64,
	      "registers come first");

static void run_handlers(void)
{
	struct sched_task *self = runtime_self_task();
	struct suspended_wait w = suspend_wait(self);
	struct control_task *k = core_self();
	struct place was = { .uses_trap_frame = k->uses_trap_frame,
			     .has_vectors = k->has_vectors };

	memcpy(was.reg, &k->reg_ip, sizeof(was.reg));
	k->has_vectors = 0;
	self->flags &= (uint16_t)~SCHED_TASK_INTERRUPTED;
	sys_trap_self(SYS_NR_DELIVER);
	resume_wait(runtime_self_task(), &w);
	if (self->flags & SCHED_TASK_CANCELLED)
		self->flags |= SCHED_TASK_INTERRUPTED;
	memcpy(&k->reg_ip, was.reg, sizeof(was.reg));
	k->uses_trap_frame = was.uses_trap_frame;
	k->has_vectors = was.has_vectors;
}

/*
 * Handlers run first. Returns whether the operation is to be announced again:
 * all waits go on but for sem_wait(), see signal(7).
 */
static __attribute__((noinline)) bool
handle_before(const struct runtime_op *op)
{
	bool is_sem = op->kind == EXPLORE_OP_SEM_WAIT ||
		      op->kind == EXPLORE_OP_SEM_TIMEDWAIT;
	bool did_wait = runtime_self_task()->flags & SCHED_TASK_INTERRUPTED;

	run_handlers();
	if (!is_sem || !did_wait)
		return true;
	runtime_self_task()->flags |= SCHED_TASK_INTERRUPTED;
	return false;
}

bool runtime_point(const struct runtime_op *op)
{
	bool (*at)(const struct runtime_op *) = point_handling;

	for (;;) {
		bool timed_out = core_on_own_stack(at, op);

		if (__builtin_expect(runtime_self_task()->op.kind == op->kind,
				     1))
			return timed_out;
		if (!handle_before(op))
			return false;
		/* Cancelled meanwhile: the wait ends. */
		if (runtime_self_task()->flags & SCHED_TASK_INTERRUPTED)
			at = point_cancelled;
	}
}

uint32_t runtime_object(enum sched_class class, const volatile void *addr,
			uint64_t pc)
{
	uint32_t id = scheduler_object_id(runtime_scheduler(), class,
					  (uintptr_t)addr, pc);

	if (__builtin_expect(!id, 0))
		runtime_end(CONTROL_VERDICT_INTERNAL, 0, 0, pc,
			    "more synchronisation objects than explore can "
			    "follow");
	return id;
}

const struct sched_event *core_recorded(void)
{
	struct scheduler *s = runtime_scheduler();
	const struct sched_event *e;

	for (uint64_t i = s->step; i < core_env.nr_script; i++) {
		e = &core_env.script[i];
		if (e->task == s->current && e->point == EXPLORE_POINT_TASK)
			return e;
	}
	return NULL;
}

struct wake_request {
	uint32_t object, max, mask, nr;
	enum sched_result result;
};

static void wake_on_stack(void *arg)
{
	struct wake_request *w = arg;

	w->result = scheduler_wake(runtime_scheduler(), &core_env, w->object,
				   w->max, w->mask, &w->nr);
}

uint32_t runtime_wake(uint32_t object, uint32_t max, uint32_t mask)
{
	struct wake_request w = { object, max, mask, 0, SCHED_RUN };

	if (!scheduler_object(runtime_scheduler(), object)->nr_waiters)
		return 0;
	core_call(wake_on_stack, &w);
	if (w.result != SCHED_RUN)
		end_run(w.result);
	return w.nr;
}

struct choose_request {
	uint32_t nr, chosen;
	enum sched_result result;
};

static void choose_on_stack(void *arg)
{
	struct choose_request *q = arg;

	q->result = scheduler_choose(runtime_scheduler(), &core_env,
				     EXPLORE_POINT_VALUE, 0, q->nr, NULL,
				     &q->chosen);
}

uint32_t runtime_choose(uint32_t nr)
{
	struct choose_request q = { nr, 0, SCHED_RUN };

	core_call(choose_on_stack, &q);
	if (q.result != SCHED_RUN)
		end_run(q.result);
	return q.chosen;
}

/* ----------------------------------------------------------- run start */

/*
 * A plug-in's pick() may use vector registers; the callers of the runtime may
 * hold values in them. Save what an ordinary function may change.
 */
static struct explore_decision ask_plugin(const struct scheduler_env *env,
					  const struct explore_point *point)
{
	uint8_t area[VECTOR_BYTES + 64];
	uint64_t top = (uintptr_t)area + sizeof(area);
	struct explore_decision d;
	bool is_legal = true;

	save_vectors(top);
	d = strategy_checked_pick(env->strategy, env->state, point, &is_legal);
	load_vectors(top);
	if (!is_legal)
		d.index = UINT32_MAX - 1;	/* out of range for sure */
	return d;
}

extern RUNTIME_HIDDEN const struct explore_strategy *core_plugin;

void core_start_run(void)
{
	struct control *c = runtime_control;
	struct scheduler *s = &c->scheduler;
	struct sched_announce start = { .kind = EXPLORE_OP_THREAD_START };

	core_env.state = c->strategy;
	core_env.log = c->event;
	core_env.ask = NULL;
	core_env.script = c->config.flags & CONTROL_F_REPLAY ? c->script : NULL;
	core_env.nr_script = c->config.nr_script;
	core_env.strategy = core_env.script ? &strategy_replay
			: strategies_find(c->config.strategy);
	if (c->config.plugin[0] && !core_env.script) {
		core_env.strategy = core_plugin;
		core_env.ask = ask_plugin;
	}
	scheduler_init(s, &c->config.scheduler);
	s->config.is_exhaustive = !!(c->config.flags & CONTROL_F_EXHAUSTIVE);
	interpose_start_run();
	memset(&c->counters, 0, sizeof(c->counters));
	memset(&c->task[0], 0, sizeof(c->task[0]));
	signals_start_run();
	child_budget_ns = CHILD_BUDGET_NS;
	clock_start_run();
	timers_reset();
	files_reset();
	order_start_run();
	values_start_run();
	notes_start_run();
	watch_start_run();
	inputs_start_run();
	c->verdict.kind = CONTROL_VERDICT_NONE;
	c->verdict.nr_cycle = 0;
	c->verdict.object = 0;
	c->verdict.addr = 0;
	c->verdict.message[0] = '\0';
	c->input_bytes = 0;
	c->probe = CONTROL_PROBE_NONE;
	if (!core_env.strategy) {
		runtime_mode = RUNTIME_CONTROLLED;
		runtime_end(CONTROL_VERDICT_INTERNAL, 0, 0, 0,
			    "the runtime does not know the strategy");
	}
	core_task_top = core_stack_of(0);
	scheduler_task_new(s, 0, 0);
	c->task[0].tid = ids_of_task(0);
	threads_start_run();
	start.object = scheduler_object_id(s, SCHED_CLASS_THREAD, 0, 0);
	scheduler_announce(s, 0, &start);
	core_enter();
}
