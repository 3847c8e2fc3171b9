/* SPDX-License-Identifier: MIT */
/*
 * signals_fault.c - the handlers that the kernel calls: faults of the target,
 * and signals from outside.
 */
#include "preload/memory/access.h"
#include "preload/clock/clock.h"
#include "preload/kernel/signals.h"

uint64_t signals_altstack_low;
uint64_t signals_initial_mask;

extern RUNTIME_HIDDEN void spin_probe(struct ucontext *uc);
extern RUNTIME_HIDDEN bool time_emulate_tsc(struct sigcontext *m);
extern RUNTIME_HIDDEN bool spin_step(struct ucontext *uc);

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
	struct action *a = &signals_action[sig];

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
		signals_push_handler(uc, a, info);
		if (a->flags & RESETHAND_FLAG)
			a->handler = 0;
		return;
	}
	signals_die(info, m, addr);
}

/* In the zygote: what would have happened without our handler. */
static void act_by_default(int sig)
{
	uint64_t set = SIGNALS_BIT(sig);

	real_action(sig, 0, 0);
	sys_call2(__NR_kill, sys_call0(__NR_getpid), sig);
	sys_call4(__NR_rt_sigprocmask, 1 /* SIG_UNBLOCK */, &set, 0, 8);
	signals_install(sig);	/* it stopped, and goes on */
}

void signals_enter(int sig, struct signals_info *info, struct ucontext *uc)
{
	struct action *a = &signals_action[sig];

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
		else if (a->handler == 0 && !signals_is_ignored(sig))
			act_by_default(sig);
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
	if (runtime_mode == RUNTIME_CONTROLLED)
		signals_note_arrival(info);
	else if (a->handler == 0 && !signals_is_ignored(sig))
		act_by_default(sig);
}

static uint64_t other_entry;

/* All but those that the runtime acts on at once. */
#define NOTED_SIGNALS (~(FATAL_FAULTS | SIGNALS_BIT(SIGSYS) | \
			 SIGNALS_BIT(SIGNALS_PROBE)))

/* Handlers that only note what came do not nest. */
static void note_action(int sig)
{
	struct action a = {
		other_entry,
		SA_SIGINFO | RESTART_FLAG | ONSTACK_FLAG | RESTORER_FLAG |
			(sig == SIGCHLD ? signals_action[sig].flags &
					(SA_NOCLDWAIT | SA_NOCLDSTOP) : 0),
		(uintptr_t)sys_restorer,
		NOTED_SIGNALS,
	};

	sys_call4(__NR_rt_sigaction, sig, &a, 0, 8);
}

void signals_install(int sig)
{
	uint64_t handler = signals_action[sig].handler;
	uint64_t bit = SIGNALS_BIT(sig);

	if (sig == SIGSYS)
		return;
	if (sig == SIGNALS_PROBE)
		real_action(sig, other_entry, SA_SIGINFO | ONSTACK_FLAG);
	else if (bit & FATAL_FAULTS)
		real_action(sig, other_entry,
			    SA_SIGINFO | NODEFER_FLAG | RESTART_FLAG |
			    ONSTACK_FLAG);
	else if (handler != 1 /* SIG_IGN */)
		/* Noted, whatever it does by default: it may be blocked. */
		note_action(sig);
	else
		real_action(sig, handler, signals_action[sig].flags &
						  SA_NOCLDWAIT);
}

void signals_use_entries(uint64_t sigsys, uint64_t other)
{
	other_entry = other;
	for (int sig = 1; sig <= NR_SIGNALS; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signals_install(sig);
	real_action(SIGSYS, sigsys, SA_SIGINFO | NODEFER_FLAG | ONSTACK_FLAG);
}

void signals_init(void)
{
	stack_t stack = { .ss_size = SIGNALS_ALTSTACK_BYTES };
	uint64_t none = 0;

	signals_altstack_low = (uint64_t)sys_call6(
		__NR_mmap, 0, SIGNALS_ALTSTACK_BYTES, 3,
		0x22 /* private, anonymous: a child has its own */,
		(uint64_t)-1, 0);
	stack.ss_sp = (void *)(uintptr_t)signals_altstack_low;
	sys_call2(__NR_sigaltstack, &stack, 0);
	for (int sig = 1; sig <= NR_SIGNALS; sig++)
		sys_call4(__NR_rt_sigaction, sig, 0, &signals_action[sig], 8);
	signals_use_entries((uintptr_t)trap_entry_sigsys,
			    (uintptr_t)trap_entry_signal);
	sys_call4(__NR_rt_sigprocmask, 0 /* SIG_BLOCK */, 0,
		  &signals_initial_mask, 8);
	sys_call4(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, 0, 8);
}

void signals_hold(bool is_on)
{
	uint64_t set = is_on ? NOTED_SIGNALS : 0;

	sys_call4(__NR_rt_sigprocmask, SIG_SETMASK, &set, 0, 8);
}

/* A native child has the dispositions and the mask that the target set. */
RUNTIME_HIDDEN void signals_go_native(struct ucontext *uc, uint64_t mask);
void signals_go_native(struct ucontext *uc, uint64_t mask)
{
	for (int sig = 1; sig <= NR_SIGNALS; sig++)
		if (sig != SIGKILL && sig != SIGSTOP &&
		    /* SIGTRAP stays ours: int3 sites are in the child, too. */
		    (sig != SIGTRAP || !access_has_patches()))
			sys_call4(__NR_rt_sigaction, sig, &signals_action[sig],
				  0, 8);
	uc->uc_sigmask = mask;
}
