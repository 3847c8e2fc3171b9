/* SPDX-License-Identifier: MIT */
/*
 * traps.c - how system calls of the target come in.
 *
 * Rules: this runs on our stack of the task, in a signal handler or below a
 * patched site, with the target's fs base; see runtime.h and stacks.c.
 */
#include <linux/errno.h>

#include "preload/core/notes.h"
#include "preload/memory/access.h"
#include "preload/clock/clock.h"
#include "preload/kernel/files.h"
#include "preload/kernel/ids.h"
#include "preload/core/rounds.h"
#include "preload/kernel/seccomp.h"
#include "preload/kernel/virtuals.h"

/* prctl.h would do, but it is newer than some build machines' headers. */
#define PR_SET_SYSCALL_USER_DISPATCH_NR 59
#define SYS_USER_DISPATCH_CODE 2

/* Read by the kernel at each system call: 1 is "trap it". */
static volatile uint8_t selector = 1;

int64_t trap_arm(void)
{
	return sys_call5(__NR_prctl, PR_SET_SYSCALL_USER_DISPATCH_NR, 1,
			 sys_stub_start, sys_stub_end - sys_stub_start,
			 &selector);
}

void trap_disarm(void)
{
	sys_call5(__NR_prctl, PR_SET_SYSCALL_USER_DISPATCH_NR, 0, 0, 0, 0);
}

int64_t trap_pass(struct trap *t)
{
	return sys_call6(t->nr, t->arg[0], t->arg[1], t->arg[2], t->arg[3],
			 t->arg[4], t->arg[5]);
}

int64_t trap_refuse(struct trap *t)
{
	return -(int64_t)trap_entry(t->nr)->error;
}

static int64_t make_call(struct trap *t, const struct trap_entry *e)
{
	int64_t r;

	if (e->flags & TRAP_F_PID)
		ids_translate(t, e);
	if (virtuals_nr && virtuals_answer(t, e, &r))
		return r;
	if (e->handler)
		return e->handler(t);
	r = trap_pass(t);
	if (r == -EPERM && ids_was_refused(t))
		return r;
	if (!(e->flags & TRAP_F_QUIET) && t->nr >= 0 &&
	    t->nr < CONTROL_MAX_SYSCALLS)
		runtime_control->counters.passed[t->nr]++;
	return r;
}

/*
 * What names lead to, and which descriptor a number is, is shared by all tasks:
 * between a look and what is done about it, another one may change it.
 */
static void announce(const struct trap *t, const struct trap_entry *e)
{
	struct runtime_op op = { .kind = EXPLORE_OP_SYSCALL, .pc = t->site };
	bool is_by_name = e->flags & TRAP_F_FILES && !e->fd_arg;

	if ((is_by_name || e->flags & TRAP_F_TABLE) &&
	    runtime_scheduler()->nr_live > 1)
		core_point(&op);
}

bool trap_was_timed;

static int64_t dispatch(struct trap *t, const struct trap_entry *e)
{
	/* It may close the descriptor, so ask before. */
	uint64_t fd = e->fd_arg ? t->arg[e->fd_arg - 1] : 0;
	enum files_kind kind = e->fd_arg ? files_kind_of(fd) : FILES_OTHER;
	uint32_t id = kind == FILES_INSIDE ? files_inside_id(fd) : 0;
	int64_t r;

	if (__builtin_expect(seccomp_is_on, 0) && !seccomp_admits(t, &r))
		return r;
	if (t->nr != __NR_sched_yield)
		rounds_effect(runtime_self());
	announce(t, e);

	if ((kind >= FILES_NAME &&
	     proc_call(t, kind, files_inside_id(fd), &r)) ||
	    (e->flags & TRAP_F_FILES && proc_enter(t, &r)))
		return r;
	if (__builtin_expect(computing_left != 0, 0) &&
	    !(e->flags & TRAP_F_FRAME))
		computing_call(t);
	r = make_call(t, e);
	trap_was_timed = r == TRAP_TIMED_EINTR;
	if (trap_was_timed)
		r = -EINTR;
	files_changes += (e->flags & (TRAP_F_SEES | TRAP_F_SHOWS)) != 0;
	/* Nobody else ran since the kernel answered. */
	order_call(t, e, kind, id);
	return r;
}

static __attribute__((noinline)) int64_t
dispatch_noted(struct trap *t, const struct trap_entry *e)
{
	struct control_note n;
	struct trap before = *t;
	int64_t r;

	notes_before(&n, &before);
	r = dispatch(t, e);
	if (runtime_mode == RUNTIME_CONTROLLED)	/* else: in a new process */
		notes_after(&n, &before, r);
	return r;
}

static inline int64_t answer(struct trap *t, const struct trap_entry *e)
{
	return notes_is_on() ? dispatch_noted(t, e) : dispatch(t, e);
}

void trap_show_context(struct control_task *k, const struct sigcontext *m,
		       uint64_t ip)
{
	k->reg_ip = ip;
	k->reg_sp = m->rsp;
	k->reg_bp = m->rbp;
	k->reg_bx = m->rbx;
	k->reg_12 = m->r12;
	k->reg_13 = m->r13;
	k->reg_14 = m->r14;
	k->reg_15 = m->r15;
	k->uses_trap_frame = 1;
}

/* The flags that the cmp of a patched site would leave. */
static uint64_t flags_after_cmp(int64_t rax, int64_t limit)
{
	uint64_t flags;

	__asm__ volatile("cmpq %2, %1\n\tpushfq\n\tpopq %0"
			 : "=r"(flags) : "r"(rax), "r"(limit)
			 : "cc", "memory");
	return flags;
}

#define ARITHMETIC_FLAGS 0x8d5ull

/* Let a context in a trampoline continue behind the patched site instead. */
static void leave_trampoline(struct sigcontext *m, uint64_t site)
{
	m->eflags = (m->eflags & ~ARITHMETIC_FLAGS) |
		    (flags_after_cmp((int64_t)m->rax, patch_limit_of(m->rip)) &
		     ARITHMETIC_FLAGS);
	m->rip = site + PATCH_CMP_BYTES;
}

void trap_sigsys(int sig, struct signals_info *info, struct ucontext *uc)
{
	struct sigcontext *m = &uc->uc_mcontext;
	struct control_task *k = core_self();
	uint64_t site = patch_site_of(m->rip), restart = m->rip - 2;
	const struct trap_entry *e;
	uint32_t had_vectors;
	bool restarts = true;
	struct trap t = {
		.nr = (int64_t)m->rax,
		.arg = { m->rdi, m->rsi, m->rdx, m->r10, m->r8, m->r9 },
		.site = site ? site : m->rip,
		.uc = uc,
	};

	(void)sig;
	if (runtime_mode == RUNTIME_NATIVE ||
	    info->code != SYS_USER_DISPATCH_CODE) {
		m->rax = (uint64_t)trap_pass(&t);
		return;
	}
	spin_stop(uc);
	clock_fix_syscall(m);
	if (__builtin_expect(trap_is_int80(info), 0)) {
		trap_show_context(k, m, t.site);
		trap_from_int80(&t, m);
		t.is_int80 = true;
		restarts = false;
	}
	e = trap_entry(t.nr);
	runtime_control->counters.traps++;
	trap_show_context(k, m, t.site);
	k->syscall_nr = (uint32_t)t.nr;
	had_vectors = k->has_vectors;
	k->has_vectors = 0;	/* the frame holds them */
	if (k->has_result) {
		k->has_result = 0;
		m->rax = (uint64_t)k->result;
	} else {
		m->rax = (uint64_t)answer(&t, e);
		if (runtime_mode == RUNTIME_NATIVE)
			return;		/* a native child, in its own memory */
	}
	/* As trap_fast_entry leaves them: a loop must not see a difference. */
	if (!t.is_int80) {
		m->rcx = 0;
		m->r11 = 0;
	}
	if (t.nr == SYS_NR_DELIVER_HELD) {
		m->rax = access_held[0];
		m->rcx = access_held[1];
		m->r11 = access_held[2];
		restarts = false;
	}
	if (site) {
		restart = site - 2;
		/*
		 * A handler of SIGSYS may change the result: compare it after.
		 */
		if (!seccomp_is_on)
			leave_trampoline(m, site);
	} else if (!(e->flags & TRAP_F_FRAME) && !t.is_int80) {
		patch_learn(t.site);
	}
	k->uses_trap_frame = 0;
	k->has_vectors = had_vectors;
	signals_take_in_own();
	if (signals_are_due())
		/* One of 32 bits is not made again: rax would be its number. */
		signals_deliver(uc, restarts ? t.nr : __NR_nanosleep, restart);
}

bool trap_is_in_runtime(uint64_t ip)
{
	struct control *c = runtime_control;
	uint64_t here = (uintptr_t)sys_stub_start;

	for (uint32_t i = 0; i < c->nr_modules; i++)
		if (here - c->module[i].start <
		    c->module[i].end - c->module[i].start)
			return ip - c->module[i].start <
			       c->module[i].end - c->module[i].start;
	return false;
}

bool trap_is_runtime_code(uint64_t ip)
{
	return access_is_trampoline(ip) || trap_is_in_runtime(ip);
}

void trap_preempt(struct ucontext *uc, const struct runtime_op *op)
{
	struct control_task *k = core_self();

	trap_show_context(k, &uc->uc_mcontext, uc->uc_mcontext.rip);
	core_announce(op);
	runtime_self_task()->pc = uc->uc_mcontext.rip;
	if (op->flags & EXPLORE_OP_F_YIELDS)
		scheduler_yielded(runtime_scheduler(), runtime_self(), true);
	core_enter();
	k->uses_trap_frame = 0;
	if (signals_are_due())
		signals_deliver(uc, -1, 0);
}

struct trap_fast_result trap_fast(struct trap_fast *f)
{
	struct trap_fast_result r = { 0, 1 };
	const struct trap_entry *e;
	struct control_task *k;
	struct trap t = {
		.nr = (int64_t)f->rax,
		.arg = { f->rdi, f->rsi, f->rdx, f->r10, f->r8, f->r9 },
	};

	if (runtime_mode == RUNTIME_NATIVE)
		return r;
	e = trap_entry(t.nr);
	if (e->flags & TRAP_F_FRAME)
		return r;
	t.site = patch_site_of_call(f->return_address);
	k = core_self();
	runtime_control->counters.fast_calls++;
	k->reg_ip = t.site;
	/* above the return address and the red zone */
	k->reg_sp = f->sp + 8 + 128;
	k->reg_bp = f->rbp;
	k->reg_bx = f->rbx;
	k->reg_12 = f->r12;
	k->reg_13 = f->r13;
	k->reg_14 = f->r14;
	k->reg_15 = f->r15;
	k->uses_trap_frame = 1;
	k->syscall_nr = (uint32_t)t.nr;
	k->has_vectors = 1;
	r.value = answer(&t, e);
	k->has_vectors = 0;
	r.is_slow = 0;
	k->uses_trap_frame = 0;
	signals_take_in_own();
	/* Handlers run from a kernel frame only: trap once more to get one. */
	if (signals_are_due()) {
		k->result = r.value;
		k->has_result = 1;
		r.is_slow = 1;
	}
	return r;
}
