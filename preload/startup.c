/* SPDX-License-Identifier: MIT */
/*
 * startup.c - between the runtime's constructor and main.
 *
 * Constructors run natively, and what they ask of kernel and processor must be
 * the search's all the same: C++'s static objects draw seeds or look at the
 * clock, and the C library's allocator draws a word that decides where a
 * program with a broken heap dies. System calls trap as they do in a run, with
 * a handler that answers for random bytes and clocks and executes the others
 * as they are; and cpuid faults.
 *
 * A call whose effect would be undone by the return from a signal handler, or
 * that needs the caller's own stack, ends this: it is executed again untrapped,
 * and so is everything behind it.
 *
 * Context: in a signal handler of a process that is not controlled yet; no
 * task, no model.
 */
#include <sys/auxv.h>

#include "preload/access.h"
#include "preload/traps.h"

#define SYSCALL_BYTES 2u
#define ACTION_WORDS 4		/* of the kernel's struct sigaction */
#define RESTORER_FLAG 0x04000000ull
#define BEFORE_START_NS 1000000000ull	/* the clock of constructors */

extern RUNTIME_HIDDEN void time_patch_vdso_at(char *base);

static uint64_t random_state;
static uint64_t passed_ns;
static bool is_on;
static uint64_t their_sigsys[ACTION_WORDS], their_sigsegv[ACTION_WORDS];

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
		return m->rdi == SIGSYS || m->rdi == SIGSEGV;
	default:
		return false;
	}
}

/* Who looks again and again waits for time to pass, so it goes faster. */
static uint64_t clock_ns(uint64_t clock)
{
	static uint64_t reads;
	const struct control_config *c = &runtime_control->config;
	uint64_t shift = reads / 32 < 13 ? reads / 32 : 13;

	reads++;
	passed_ns += 1000ull << shift;
	return time_of_clock((int)clock, c->scheduler.start_ns -
					 BEFORE_START_NS + passed_ns);
}

static uint64_t answer(const struct sigcontext *m)
{
	uint64_t *out = (void *)(uintptr_t)m->rsi;
	uint64_t now;

	switch (m->rax) {
	case __NR_getrandom:
		return (uint64_t)process_random(&random_state,
						(void *)(uintptr_t)m->rdi,
						m->rsi);
	case __NR_getpid:
		/* What main will be told, if that is known by now. */
		if (!runtime_control->run_number)
			break;
		return runtime_control->run_number;
	case __NR_clock_gettime:
		if (m->rdi > 11)
			break;
		now = clock_ns(m->rdi);
		out[0] = now / 1000000000u;
		out[1] = now % 1000000000u;
		return 0;
	case __NR_gettimeofday:
		out = (void *)(uintptr_t)m->rdi;
		if (!out || m->rsi)
			break;
		now = clock_ns(0);
		out[0] = now / 1000000000u;
		out[1] = now % 1000000000u / 1000;
		return 0;
	case __NR_time:
		out = (void *)(uintptr_t)m->rdi;
		now = clock_ns(0) / 1000000000u;
		if (out)
			*out = now;
		return now;
	default:
		break;
	}
	return (uint64_t)sys_call6((int64_t)m->rax, m->rdi, m->rsi, m->rdx,
				   m->r10, m->r8, m->r9);
}

static void on_sigsys(int sig, struct signals_info *info, struct ucontext *uc)
{
	struct sigcontext *m = &uc->uc_mcontext;

	(void)sig;
	if (is_bound_to_frame(m) || trap_is_int80(info)) {
		startup_end();
		m->rip -= SYSCALL_BYTES;
		return;
	}
	m->rax = answer(m);
}

/* A fault of the target comes again, to whom it would have come. */
static void on_sigsegv(int sig, struct signals_info *info, struct ucontext *uc)
{
	(void)sig;
	(void)info;
	if (!cpuid_emulate(&uc->uc_mcontext))
		startup_end();
}

static bool set_action(int sig, void (*handler)(int, struct signals_info *,
						struct ucontext *),
		       uint64_t *theirs)
{
	const uint64_t action[ACTION_WORDS] = {
		(uintptr_t)handler, SA_SIGINFO | SA_NODEFER | RESTORER_FLAG,
		(uintptr_t)sys_restorer, 0,
	};

	return sys_call4(__NR_rt_sigaction, sig, action, theirs, 8) >= 0;
}

void startup_begin(void)
{
	const struct control_config *c = &runtime_control->config;
	unsigned long vdso = getauxval(AT_SYSINFO_EHDR);

	/* Not the sequence that main sees, which begins anew in each run. */
	random_state = c->seed * 0xd1342543de82ef95ull + 0x5eed;
	if (vdso)
		time_patch_vdso_at((char *)vdso);
	if (!set_action(SIGSYS, on_sigsys, their_sigsys) ||
	    !set_action(SIGSEGV, on_sigsegv, their_sigsegv) ||
	    trap_arm() < 0)
		return;
	is_on = true;
	if (c->flags & CONTROL_F_TRAP_TSC)
		cpuid_trap(true);
}

void startup_end(void)
{
	if (!is_on)
		return;
	is_on = false;
	trap_disarm();
	cpuid_trap(false);
	sys_call4(__NR_rt_sigaction, SIGSYS, their_sigsys, 0, 8);
	sys_call4(__NR_rt_sigaction, SIGSEGV, their_sigsegv, 0, 8);
}
