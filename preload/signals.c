/* SPDX-License-Identifier: MIT */
/*
 * signals.c - signals among tasks.
 *
 * Masks, pending sets and alternate stacks are per task and virtual: the
 * carrier blocks nothing. A signal that one task sends another, or that comes
 * from outside, becomes pending in the model; the receiving task runs its
 * handler on return from a trap, on a frame like the kernel's. So delivery
 * happens at operations only and replays exactly. Faults (SIGSEGV, ...) are
 * delivered on the spot.
 *
 * Handlers of the target return through sys_target_restorer, whose
 * rt_sigreturn traps, so that the virtual mask comes back with the context.
 */
#include <linux/errno.h>

#include "preload/access.h"
#include "preload/clock.h"
#include "preload/files.h"

struct action {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

#define NR_SIGNALS 64
#define QUEUE_MAX 256
#define ALTSTACK_BYTES 65536
#define FATAL_FAULTS (SIGNALS_BIT(SIGSEGV) | SIGNALS_BIT(SIGBUS) |  \
		      SIGNALS_BIT(SIGFPE) | SIGNALS_BIT(SIGILL) | \
		      SIGNALS_BIT(SIGTRAP) | SIGNALS_BIT(SIGABRT))
#define UNBLOCKABLE (SIGNALS_BIT(SIGKILL) | SIGNALS_BIT(SIGSTOP))
#define RESTORER_FLAG 0x04000000ull	/* SA_RESTORER */
#define ONSTACK_FLAG 0x08000000ull
#define RESTART_FLAG 0x10000000ull
#define NODEFER_FLAG 0x40000000ull
#define RESETHAND_FLAG 0x80000000ull

/* Private memory: each run starts with the zygote's copy. */
static struct action actions[NR_SIGNALS + 1];
static struct {
	int task;	/* -1: the process */
	struct signals_info info;
} queue[QUEUE_MAX];
static uint32_t nr_queued;
uint64_t signals_pending;
static uint64_t altstack_low;
static uint64_t initial_mask;	/* main's, as the tool left it */
/* Noted by the real handler, moved into the model by signals_collect(). */
volatile uint64_t signals_arrived;
static struct signals_info arrived_info[NR_SIGNALS + 1];

extern RUNTIME_HIDDEN void spin_probe(struct ucontext *uc);
extern RUNTIME_HIDDEN bool time_emulate_tsc(struct sigcontext *m);
extern RUNTIME_HIDDEN bool spin_step(struct ucontext *uc);

/* ------------------------------------------------------ the model's side */

static bool is_ignored(int sig)
{
	if (actions[sig].handler == 1 /* SIG_IGN */)
		return true;
	return actions[sig].handler == 0 &&
	       (sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH ||
		sig == SIGCONT || sig == SIGSTOP || sig == SIGTSTP ||
		sig == SIGTTIN || sig == SIGTTOU);
}

static bool is_interruptible(uint16_t kind)
{
	switch (kind) {
	case EXPLORE_OP_COND_WAIT:
	case EXPLORE_OP_COND_TIMEDWAIT:
	case EXPLORE_OP_COND_WAKE:
	case EXPLORE_OP_FUTEX_WAIT:
	case EXPLORE_OP_FUTEX_RESUME:
	case EXPLORE_OP_SEM_WAIT:
	case EXPLORE_OP_SEM_TIMEDWAIT:
	case EXPLORE_OP_THREAD_JOIN:
	case EXPLORE_OP_SLEEP:
	case EXPLORE_OP_SYSCALL:
	case EXPLORE_OP_CHILD_WAIT:
	case EXPLORE_OP_SIGNAL_WAIT:
		return true;
	default:
		return false;
	}
}

void runtime_interrupt(uint32_t task)
{
	struct scheduler *s = runtime_scheduler();

	if (s->task[task].state != SCHED_TASK_ALIVE ||
	    !is_interruptible(s->task[task].op.kind))
		return;
	s->task[task].flags |= SCHED_TASK_INTERRUPTED;
	scheduler_unwait(s, task, SCHED_WAKE_INTERRUPTED);
}

static bool is_queued(int task, int sig)
{
	for (uint32_t i = 0; i < nr_queued; i++)
		if (queue[i].task == task && queue[i].info.signo == sig)
			return true;
	return false;
}

static void set_pending(int task, uint64_t bit, bool on)
{
	uint64_t *set = task < 0 ? &signals_pending
				 : &core_task((uint32_t)task)->sigpending;

	*set = on ? *set | bit : *set & ~bit;
}

/* Main first, as the kernel prefers it; then by age. -1: all block it. */
static int find_receiver(uint64_t bit)
{
	struct scheduler *s = runtime_scheduler();

	for (uint32_t i = 0; i < s->nr_live; i++) {
		const struct control_task *k = core_task(s->live[i]);

		if (s->task[s->live[i]].op.kind == EXPLORE_OP_SIGNAL_WAIT &&
		    k->wait_set & bit && s->live[i] != s->current)
			return s->live[i];
	}
	for (uint32_t i = 0; i < s->nr_live; i++)
		if (!(core_task(s->live[i])->sigmask & bit))
			return s->live[i];
	return -1;
}

void signals_post(int task, const struct signals_info *info)
{
	int sig = info->signo;
	uint64_t bit = SIGNALS_BIT(sig);

	if (task < 0)
		task = find_receiver(bit);
	if (is_ignored(sig) && (task < 0 || !((core_task((uint32_t)task)->sigmask |
			core_task((uint32_t)task)->wait_set) & bit)))
		return;
	if (sig < 32 && is_queued(task, sig))
		return;
	if (nr_queued < QUEUE_MAX) {
		queue[nr_queued].task = task;
		queue[nr_queued++].info = *info;
	}
	set_pending(task, bit, true);
	if (task >= 0 && core_task((uint32_t)task)->wait_set & bit)
		scheduler_task(runtime_scheduler(), (uint32_t)task)->flags |=
			SCHED_TASK_READY;
	if (task >= 0 && (uint32_t)task != runtime_self() &&
	    !(core_task((uint32_t)task)->sigmask & bit))
		runtime_interrupt((uint32_t)task);
}

bool signals_has(uint32_t t, uint64_t set)
{
	return (core_task(t)->sigpending | signals_pending) & set;
}

bool signals_would_interrupt(uint32_t t)
{
	return signals_has(t, ~core_task(t)->sigmask);
}

static bool take_from(int task, uint64_t set, struct signals_info *info)
{
	uint64_t pending = (task < 0 ? signals_pending
				     : core_task((uint32_t)task)->sigpending) & set;
	uint32_t i, best = QUEUE_MAX;

	if (!pending)
		return false;
	for (i = 0; i < nr_queued; i++)
		if (queue[i].task == task && SIGNALS_BIT(queue[i].info.signo) & set &&
		    (best == QUEUE_MAX ||
		     queue[i].info.signo < queue[best].info.signo))
			best = i;
	if (best == QUEUE_MAX) {
		set_pending(task, pending, false);
		return false;
	}
	*info = queue[best].info;
	nr_queued--;
	memmove(&queue[best], &queue[best + 1],
		(nr_queued - best) * sizeof(queue[0]));
	if (!is_queued(task, info->signo))
		set_pending(task, SIGNALS_BIT(info->signo), false);
	return true;
}

int signals_take(uint64_t set, struct signals_info *info)
{
	if (!take_from((int)runtime_self(), set, info) &&
	    !take_from(-1, set, info))
		return 0;
	/* What the sender did happens before what the taker does. */
	order_take_signal();
	return info->signo;
}

void signals_take_in(void)
{
	while (signals_arrived) {
		int sig = __builtin_ctzll(signals_arrived) + 1;

		__atomic_and_fetch(&signals_arrived, ~SIGNALS_BIT(sig),
				   __ATOMIC_SEQ_CST);
		signals_post(-1, &arrived_info[sig]);
	}
}

/* ------------------------------------------------------------ delivery */

struct frame {
	uint64_t restorer;
	struct ucontext uc;
	struct signals_info info;
};

#define FX_BYTES 512
#define FX_MAGIC 0x46505853u
#define FX_SW_OFFSET 464	/* struct _fpx_sw_bytes in the FXSAVE area */

static uint64_t fp_bytes(const void *fp)
{
	const uint32_t *sw = (const void *)((const char *)fp + FX_SW_OFFSET);

	return sw[0] == FX_MAGIC ? sw[1] : FX_BYTES;
}

static bool is_within(uint64_t sp, uint64_t low, uint64_t bytes)
{
	return sp - low < bytes;
}

/* Where the handler's frame starts to grow down from. */
static uint64_t frame_top(const struct action *a, const struct sigcontext *m)
{
	const struct control_task *k = core_self();
	uint64_t here = (uintptr_t)__builtin_frame_address(0);
	uint64_t top = m->rsp - 128;

	if (a->flags & ONSTACK_FLAG && k->altstack_bytes &&
	    !is_within(m->rsp, k->altstack_sp, k->altstack_bytes))
		return k->altstack_sp + k->altstack_bytes;
	/* This very function may run on the stack that gets the frame. */
	if (!is_within(here, altstack_low, ALTSTACK_BYTES) && here - 512 < top)
		top = here - 512;
	return top;
}

/* Let `uc` continue in the handler, which returns to what `uc` was. */
static void push_handler(struct ucontext *uc, const struct action *a,
			 const struct signals_info *info)
{
	struct sigcontext *m = &uc->uc_mcontext;
	struct control_task *k = core_self();
	uint64_t sp = frame_top(a, m), fp = 0;
	struct frame *f;

	if (m->fpstate) {
		uint64_t bytes = fp_bytes(m->fpstate);

		fp = (sp - bytes) & ~63ull;
		memcpy((void *)(uintptr_t)fp, m->fpstate, bytes);
		sp = fp;
	}
	f = (void *)(uintptr_t)(((sp - sizeof(*f)) & ~15ull) - 8);
	f->restorer = (uintptr_t)sys_target_restorer;
	f->uc = *uc;
	f->uc.uc_mcontext.fpstate = (void *)(uintptr_t)fp;
	f->uc.uc_sigmask = k->has_saved_mask ? k->saved_mask : k->sigmask;
	f->info = *info;
	k->has_saved_mask = 0;
	k->sigmask |= a->mask;
	if (!(a->flags & NODEFER_FLAG))
		k->sigmask |= SIGNALS_BIT(info->signo);
	k->sigmask &= ~UNBLOCKABLE;
	m->rdi = (uint64_t)info->signo;
	m->rsi = (uintptr_t)&f->info;
	m->rdx = (uintptr_t)&f->uc;
	m->rax = 0;
	m->rip = a->handler;
	m->rsp = (uintptr_t)f;
	m->eflags &= ~0x10500ull;	/* RF, DF, TF */
}

static char assert_text[CONTROL_MESSAGE_BYTES];
static uint64_t assert_pc;

/* Called by the interposed __assert_fail() before the real one. */
RUNTIME_HIDDEN void runtime_note_assert(const char *text, uint64_t pc);
void runtime_note_assert(const char *text, uint64_t pc)
{
	runtime_format(assert_text, sizeof(assert_text), "%s", text);
	assert_pc = pc;
}

static _Noreturn void die_of(const struct signals_info *info,
			     const struct sigcontext *m, uint64_t addr)
{
	struct control_task *k = core_self();
	enum control_verdict_kind kind = CONTROL_VERDICT_CRASH;
	uint64_t pc = m->rip;

	k->reg_ip = m->rip;
	k->reg_sp = m->rsp;
	k->reg_bp = m->rbp;
	k->reg_bx = m->rbx;
	k->reg_12 = m->r12;
	k->reg_13 = m->r13;
	k->reg_14 = m->r14;
	k->reg_15 = m->r15;
	k->uses_trap_frame = 1;
	runtime_control->verdict.addr = addr;
	if (info->signo == SIGABRT) {
		kind = assert_text[0] ? CONTROL_VERDICT_ASSERT
				      : CONTROL_VERDICT_ABORT;
		if (assert_pc)
			pc = assert_pc;
	}
	runtime_end(kind, info->signo, 0, pc, assert_text);
}

static bool is_restartable(int64_t nr)
{
	switch (nr) {
	case __NR_nanosleep:
	case __NR_clock_nanosleep:
	case __NR_poll:
	case __NR_ppoll:
	case __NR_select:
	case __NR_pselect6:
	case __NR_epoll_wait:
	case __NR_epoll_pwait:
	case __NR_pause:
	case __NR_rt_sigsuspend:
	case __NR_rt_sigtimedwait:
		return false;	/* signal(7) */
	default:
		return true;
	}
}

/* For interposers that stand for a restartable call (sem_wait). */
static void note_restart(bool restarts)
{
	struct sched_task *self = runtime_self_task();

	if (restarts)
		self->flags |= SCHED_TASK_RESTARTS;
	else
		self->flags &= (uint16_t)~SCHED_TASK_RESTARTS;
}

void signals_deliver(struct ucontext *uc, int64_t nr, uint64_t restart_ip)
{
	struct sigcontext *m = &uc->uc_mcontext;
	struct signals_info info;
	int sig;

	while ((sig = signals_take(~core_self()->sigmask, &info))) {
		struct action *a = &actions[sig];

		if (is_ignored(sig))
			continue;
		if (a->handler == 0)
			die_of(&info, m, 0);
		runtime_control->counters.signals++;
		if ((int64_t)m->rax == -EINTR && a->flags & RESTART_FLAG &&
		    is_restartable(nr)) {
			m->rax = (uint64_t)nr;
			m->rip = restart_ip;
		}
		note_restart(a->flags & RESTART_FLAG);
		push_handler(uc, a, &info);
		if (a->flags & RESETHAND_FLAG)
			a->handler = 0;
		return;
	}
	if (core_self()->has_saved_mask) {
		core_self()->sigmask = core_self()->saved_mask;
		core_self()->has_saved_mask = 0;
	}
}

/* -------------------------------------------------- the kernel's side */

static void real_action(int sig, uint64_t handler, uint64_t flags)
{
	struct action a = { handler, flags | RESTORER_FLAG,
			    (uintptr_t)sys_restorer, 0 };

	sys_call4(__NR_rt_sigaction, sig, &a, 0, 8);
}

static void on_fault(int sig, struct signals_info *info, struct ucontext *uc)
{
	struct sigcontext *m = &uc->uc_mcontext;
	/* si_addr follows signo, errno, code and padding */
	uint64_t addr = (uint64_t)(uint32_t)info->pid |
			(uint64_t)(uint32_t)info->uid << 32;
	struct action *a = &actions[sig];

	if (m->rip >= (uintptr_t)sys_fault_start &&
	    m->rip < (uintptr_t)sys_fault_end) {
		m->rip = (uintptr_t)sys_fault_exit;
		return;
	}
	if (sig == SIGTRAP) {
		uint64_t target = access_int3_target(m->rip);

		if (target) {
			m->rip = target;
			return;
		}
		if (clock_trap(info, uc) || spin_step(uc))
			return;
	}
	access_leave_trampoline(m);
	if (sig == SIGSEGV && (time_emulate_tsc(m) || cpuid_emulate(m)))
		return;
	if (a->handler > 1 && !(core_self()->sigmask & SIGNALS_BIT(sig))) {
		runtime_control->counters.signals++;
		access_show_original(m->rip);
		push_handler(uc, a, info);
		if (a->flags & RESETHAND_FLAG)
			a->handler = 0;
		return;
	}
	die_of(info, m, addr);
}

void signals_enter(int sig, struct signals_info *info, struct ucontext *uc)
{
	struct action *a = &actions[sig];

	if (runtime_mode == RUNTIME_NATIVE) {
		struct sigcontext *m = &uc->uc_mcontext;
		uint64_t target = sig == SIGTRAP && runtime_control
					  ? access_int3_target(m->rip) : 0;

		if (target)
			m->rip = target;
		else if (a->handler > 1)
			((void (*)(int, void *, void *))(uintptr_t)a->handler)(
				sig, info, uc);
		else if (info->code > 0 && FATAL_FAULTS & SIGNALS_BIT(sig))
			real_action(sig, 0, 0);	/* die of it on return */
		return;
	}
	if (sig == SIGNALS_PROBE && runtime_control->probe) {
		spin_probe(uc);
		return;
	}
	if (info->code > 0 && FATAL_FAULTS & SIGNALS_BIT(sig)) {
		on_fault(sig, info, uc);
		return;
	}
	arrived_info[sig] = *info;
	__atomic_or_fetch(&signals_arrived, SIGNALS_BIT(sig), __ATOMIC_SEQ_CST);
}

static uint64_t other_entry;

/* What the kernel has to do for the target's wish. */
static void install(int sig)
{
	uint64_t handler = actions[sig].handler;
	uint64_t bit = SIGNALS_BIT(sig);

	if (sig == SIGSYS)
		return;
	if (sig == SIGNALS_PROBE)
		real_action(sig, other_entry, SA_SIGINFO);
	else if (handler > 1 || bit & FATAL_FAULTS)
		/* A step of a probe may switch tasks: stay on its stack. */
		real_action(sig, other_entry,
			    SA_SIGINFO | NODEFER_FLAG | RESTART_FLAG |
			    (sig == SIGTRAP ? 0 : ONSTACK_FLAG));
	else
		real_action(sig, handler, 0);
}

void signals_use_entries(uint64_t sigsys, uint64_t other)
{
	other_entry = other;
	for (int sig = 1; sig <= NR_SIGNALS; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			install(sig);
	real_action(SIGSYS, sigsys, SA_SIGINFO | NODEFER_FLAG);
}

void signals_init(void)
{
	stack_t stack = { .ss_size = ALTSTACK_BYTES };
	uint64_t none = 0;

	altstack_low = (uint64_t)sys_call6(__NR_mmap, 0, ALTSTACK_BYTES, 3,
					   0x21 /* shared, anonymous */,
					   (uint64_t)-1, 0);
	stack.ss_sp = (void *)(uintptr_t)altstack_low;
	sys_call2(__NR_sigaltstack, &stack, 0);
	for (int sig = 1; sig <= NR_SIGNALS; sig++)
		sys_call4(__NR_rt_sigaction, sig, 0, &actions[sig], 8);
	signals_use_entries((uintptr_t)trap_sigsys, (uintptr_t)signals_enter);
	sys_call4(__NR_rt_sigprocmask, 0 /* SIG_BLOCK */, 0,
		  &initial_mask, 8);
	sys_call4(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, 0, 8);
}

/* A native child has the dispositions and the mask that the target set. */
RUNTIME_HIDDEN void signals_go_native(struct ucontext *uc, uint64_t mask);
void signals_go_native(struct ucontext *uc, uint64_t mask)
{
	for (int sig = 1; sig <= NR_SIGNALS; sig++)
		if (sig != SIGKILL && sig != SIGSTOP &&
		    /* SIGTRAP stays ours: int3 sites are in the child, too. */
		    (sig != SIGTRAP || !access_has_patches()) &&
		    (actions[sig].handler > 1 || sig == SIGSYS ||
		     sig == SIGNALS_PROBE || FATAL_FAULTS & SIGNALS_BIT(sig)))
			sys_call4(__NR_rt_sigaction, sig, &actions[sig], 0, 8);
	uc->uc_sigmask = mask;
}

/* ---------------------------------------------------------- the calls */

int64_t signals_sigaction(struct trap *t)
{
	int sig = (int)t->arg[0];
	const struct action *new = (const void *)(uintptr_t)t->arg[1];
	struct action *old = (void *)(uintptr_t)t->arg[2];
	struct action was;

	if (sig < 1 || sig > NR_SIGNALS || t->arg[3] != 8)
		return -EINVAL;
	if (new && (sig == SIGKILL || sig == SIGSTOP))
		return -EINVAL;
	was = actions[sig];
	if (new) {
		actions[sig] = *new;
		actions[sig].mask &= ~UNBLOCKABLE;
		install(sig);
	}
	if (old)
		*old = was;
	return 0;
}

int64_t signals_sigprocmask(struct trap *t)
{
	const uint64_t *set = (const void *)(uintptr_t)t->arg[1];
	uint64_t *old = (void *)(uintptr_t)t->arg[2];
	struct control_task *k = core_self();
	uint64_t was = k->sigmask, value = set ? *set : 0;

	if (t->arg[3] != 8)
		return -EINVAL;
	if (set) {
		switch (t->arg[0]) {
		case SIG_BLOCK:
			k->sigmask |= value;
			break;
		case SIG_UNBLOCK:
			k->sigmask &= ~value;
			break;
		case SIG_SETMASK:
			k->sigmask = value;
			break;
		default:
			return -EINVAL;
		}
		k->sigmask &= ~UNBLOCKABLE;
	}
	if (old)
		*old = was;
	return 0;
}

int64_t signals_sigaltstack(struct trap *t)
{
	const stack_t *new = (const void *)(uintptr_t)t->arg[0];
	stack_t *old = (void *)(uintptr_t)t->arg[1];
	struct control_task *k = core_self();
	stack_t was = {
		.ss_sp = (void *)(uintptr_t)k->altstack_sp,
		.ss_flags = k->altstack_bytes ? 0 : 2 /* SS_DISABLE */,
		.ss_size = k->altstack_bytes,
	};

	if (new) {
		if (new->ss_flags & 2) {
			k->altstack_bytes = 0;
		} else if (new->ss_size < 2048) {
			return -ENOMEM;
		} else {
			k->altstack_sp = (uintptr_t)new->ss_sp;
			k->altstack_bytes = new->ss_size;
		}
	}
	if (old)
		*old = was;
	return 0;
}

int64_t signals_sigpending(struct trap *t)
{
	*(uint64_t *)(uintptr_t)t->arg[0] =
		(core_self()->sigpending | signals_pending) &
		core_self()->sigmask;
	if (*(uint64_t *)(uintptr_t)t->arg[0])
		order_take_signal();
	return 0;
}

/* A handler of the target returns. */
int64_t signals_sigreturn(struct trap *t)
{
	struct ucontext *uc = (void *)(uintptr_t)t->uc->uc_mcontext.rsp;
	struct control_task *k = core_self();

	k->sigmask = uc->uc_sigmask & ~UNBLOCKABLE;
	uc->uc_sigmask = 0;
	k->uses_trap_frame = 0;
	access_enter(uc->uc_mcontext.rip);
	if (signals_are_due())
		signals_deliver(uc, -1, 0);
	sys_sigreturn_at((uintptr_t)uc);
}

/* Nothing to do: signals are delivered on the way out. */
int64_t signals_deliver_now(struct trap *t)
{
	(void)t;
	return 0;
}

static int64_t wait_for_signal(struct trap *t, uint64_t deadline)
{
	struct scheduler *s = runtime_scheduler();
	uint32_t self = s->current;
	struct runtime_op op = {
		.kind = EXPLORE_OP_SIGNAL_WAIT,
		.flags = EXPLORE_OP_F_BLOCKING,
		.object = runtime_object(SCHED_CLASS_SIGNAL,
					 (void *)(uintptr_t)self, t->site),
		.pc = t->site,
		.deadline_ns = deadline,
	};
	bool timed_out;

	core_announce(&op);
	if (signals_has(self, core_self()->wait_set) ||
	    signals_would_interrupt(self))
		s->task[self].flags |= SCHED_TASK_READY;
	if (runtime_control->counters.forks)
		s->task[self].flags |= SCHED_TASK_EXTERNAL;
	core_enter();
	timed_out = s->task[self].op.flags & EXPLORE_OP_F_TIMEOUT;
	s->task[self].flags &= (uint16_t)~SCHED_TASK_INTERRUPTED;
	return timed_out ? -EAGAIN : -EINTR;
}

int64_t signals_pause(struct trap *t)
{
	return wait_for_signal(t, 0);
}

int64_t signals_sigsuspend(struct trap *t)
{
	struct control_task *k = core_self();

	k->saved_mask = k->sigmask;
	k->has_saved_mask = 1;
	k->sigmask = *(const uint64_t *)(uintptr_t)t->arg[0] & ~UNBLOCKABLE;
	return wait_for_signal(t, 0);
}

int64_t signals_sigtimedwait(struct trap *t)
{
	uint64_t set = *(const uint64_t *)(uintptr_t)t->arg[0];
	const int64_t *ts = (const void *)(uintptr_t)t->arg[2];
	struct control_task *k = core_self();
	struct signals_info info;
	uint64_t deadline = 0;
	int64_t r;
	int sig;

	if (ts)
		deadline = runtime_scheduler()->now_ns + 1 +
			   (uint64_t)ts[0] * 1000000000ull + (uint64_t)ts[1];
	k->wait_set = set;
	r = wait_for_signal(t, deadline);
	k->wait_set = 0;
	sig = signals_take(set, &info);
	if (!sig)
		return r;
	if (t->arg[1])
		memcpy((void *)(uintptr_t)t->arg[1], &info, sizeof(info));
	return sig;
}

/* ------------------------------------------------------------- sending */

static int64_t send(struct trap *t, int task, const struct signals_info *info)
{
	struct runtime_op op = {
		.kind = EXPLORE_OP_SIGNAL_SEND,
		.object = runtime_object(SCHED_CLASS_SIGNAL,
					 (void *)(uintptr_t)(task < 0 ? 0 : task),
					 t->site),
		.pc = t->site,
	};

	core_point(&op);
	if (task >= 0 &&
	    runtime_scheduler()->task[task].state != SCHED_TASK_ALIVE)
		return -ESRCH;
	if (info->signo)
		signals_post(task, info);
	return 0;
}

static struct signals_info make_info(int sig, int code)
{
	struct signals_info info = {
		.signo = sig,
		.code = code,
		.pid = (int32_t)runtime_control->config.virtual_pid,
		.uid = (int32_t)sys_call0(__NR_getuid),
	};

	return info;
}

static bool is_own_pid(int64_t pid)
{
	return pid == 0 || pid == runtime_control->config.virtual_pid ||
	       pid == runtime_control->zygote_pid ||
	       pid == -(int64_t)runtime_control->config.virtual_pid;
}

extern RUNTIME_HIDDEN bool process_is_child(int64_t pid);

int64_t signals_kill(struct trap *t)
{
	int64_t pid = (int32_t)t->arg[0];
	struct signals_info info = make_info((int)t->arg[1], 0);

	if (t->arg[1] > NR_SIGNALS)
		return -EINVAL;
	if (is_own_pid(pid))
		return send(t, -1, &info);
	if (!(runtime_control->config.flags & CONTROL_F_NO_GUARD) &&
	    t->arg[1] && !process_is_child(pid)) {
		runtime_control->counters.denied++;
		return -EPERM;
	}
	return trap_pass(t);
}

static int64_t send_to_tid(struct trap *t, uint32_t tid, int sig,
			   struct signals_info *info)
{
	int task = threads_by_tid(tid);

	if (sig < 0 || sig > NR_SIGNALS)
		return -EINVAL;
	return task < 0 ? -ESRCH : send(t, task, info);
}

int64_t signals_tgkill(struct trap *t)
{
	struct signals_info info = make_info((int)t->arg[2], -6 /* SI_TKILL */);

	if (!is_own_pid((int32_t)t->arg[0]))
		return trap_pass(t);
	return send_to_tid(t, (uint32_t)t->arg[1], (int)t->arg[2], &info);
}

int64_t signals_tkill(struct trap *t)
{
	struct signals_info info = make_info((int)t->arg[1], -6);

	return send_to_tid(t, (uint32_t)t->arg[0], (int)t->arg[1], &info);
}

int64_t signals_sigqueueinfo(struct trap *t)
{
	struct signals_info info =
		*(const struct signals_info *)(uintptr_t)t->arg[2];

	info.signo = (int)t->arg[1];
	if (!is_own_pid((int32_t)t->arg[0]))
		return trap_pass(t);
	return send(t, -1, &info);
}

int64_t signals_tgsigqueueinfo(struct trap *t)
{
	struct signals_info info =
		*(const struct signals_info *)(uintptr_t)t->arg[3];

	info.signo = (int)t->arg[2];
	if (!is_own_pid((int32_t)t->arg[0]))
		return trap_pass(t);
	return send_to_tid(t, (uint32_t)t->arg[1], (int)t->arg[2], &info);
}

void signals_start_run(void)
{
	nr_queued = 0;
	signals_pending = 0;
	signals_arrived = 0;
	assert_text[0] = '\0';
	core_task(0)->sigmask = initial_mask;
}
