/* SPDX-License-Identifier: MIT */
/*
 * startup.c - random bytes between the runtime's constructor and main.
 *
 * Constructors run natively, and some ask the kernel for random bytes: C++'s
 * static objects, and the C library's own allocator, whose check for double
 * frees compares with a random word. That word decides where a program with a
 * broken heap dies, so the bytes must be the search's here, too. System calls
 * trap as they do in a run, with a handler that answers getrandom and executes
 * the others as they are.
 *
 * A call whose effect would be undone by the return from a signal handler, or
 * that needs the caller's own stack, ends this: it is executed again untrapped,
 * and so is everything behind it.
 *
 * Context: in the SIGSYS handler of a process that is not controlled yet; no
 * task, no model.
 */
#include "preload/access.h"
#include "preload/traps.h"

#define SYSCALL_BYTES 2u
#define ACTION_WORDS 4

static uint64_t state;
static uint64_t their_action[ACTION_WORDS];	/* the kernel's struct */
static bool is_on;

static bool is_bound_to_frame(const struct sigcontext *m)
{
	switch (m->rax) {
	case __NR_clone:
	case __NR_clone3:
	case __NR_fork:
	case __NR_vfork:
	case __NR_execve:
	case __NR_execveat:
	case __NR_rt_sigreturn:
	case __NR_rt_sigprocmask:
	case __NR_sigaltstack:
		return true;
	case __NR_rt_sigaction:
		return m->rdi == SIGSYS;
	default:
		return false;
	}
}

static void on_sigsys(int sig, struct signals_info *info, struct ucontext *uc)
{
	struct sigcontext *m = &uc->uc_mcontext;

	(void)sig;
	(void)info;
	if (is_bound_to_frame(m)) {
		startup_end();
		m->rip -= SYSCALL_BYTES;
		return;
	}
	if (m->rax == __NR_getrandom)
		m->rax = (uint64_t)process_random(
			&state, (void *)(uintptr_t)m->rdi, m->rsi);
	else
		m->rax = (uint64_t)sys_call6((int64_t)m->rax, m->rdi, m->rsi,
					     m->rdx, m->r10, m->r8, m->r9);
}

void startup_begin(void)
{
	const uint64_t action[ACTION_WORDS] = {
		(uintptr_t)on_sigsys,
		SA_SIGINFO | SA_NODEFER | 0x04000000ull /* SA_RESTORER */,
		(uintptr_t)sys_restorer,
		0,
	};

	/* Not the sequence that main sees, which begins anew in each run. */
	state = runtime_control->config.seed * 0xd1342543de82ef95ull + 0x5eed;
	if (sys_call4(__NR_rt_sigaction, SIGSYS, action, their_action, 8) < 0)
		return;
	is_on = trap_arm() >= 0;
	if (!is_on)
		sys_call4(__NR_rt_sigaction, SIGSYS, their_action, 0, 8);
}

void startup_end(void)
{
	if (!is_on)
		return;
	is_on = false;
	trap_disarm();
	sys_call4(__NR_rt_sigaction, SIGSYS, their_action, 0, 8);
}
