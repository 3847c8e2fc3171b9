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
 * The first thread that is made ends this: the process is held there, as it is
 * at main otherwise, and each run begins with that call. A call that needs the
 * caller's own stack (a child, another program) ends it as well: it is
 * executed again untrapped, and so is everything behind it. Masks and
 * alternate stacks, which the return from a signal handler sets, are changed
 * in its frame.
 *
 * Context: in a signal handler of a process that is not controlled yet; no
 * task, no model.
 */
#include <sys/auxv.h>

#include <linux/errno.h>
#include <linux/sched.h>

#include "preload/memory/access.h"
#include "preload/kernel/traps.h"

#define SYSCALL_BYTES 2u
#define ACTION_WORDS 4		/* of the kernel's struct sigaction */
#define RESTORER_FLAG 0x04000000ull
#define BEFORE_START_NS 1000000000ull	/* the clock of constructors */


static uint64_t random_state;
static uint64_t passed_ns;
static bool is_on;
static uint64_t their_sigsys[ACTION_WORDS], their_sigsegv[ACTION_WORDS];
/* Signals that we need, of those they block. */
static uint64_t blocked_for_them;
#define NEEDED (SIGNALS_BIT(SIGSYS) | SIGNALS_BIT(SIGSEGV))

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
		return true;
	default:
		return false;
	}
}

static bool makes_thread(const struct sigcontext *m)
{
	uint64_t flags = m->rdi;

	if (m->rax == __NR_clone3 &&
	    !sys_load64((const void *)(uintptr_t)m->rdi, &flags))
		return false;
	return (m->rax == __NR_clone || m->rax == __NR_clone3) &&
	       flags & CLONE_THREAD;
}

static int64_t change_mask(struct ucontext *uc)
{
	const struct sigcontext *m = &uc->uc_mcontext;
	uint64_t was = uc->uc_sigmask | blocked_for_them, now = was, set = 0;

	if (m->r10 != sizeof(set))
		return -EINVAL;
	if (m->rsi && !sys_load64((void *)(uintptr_t)m->rsi, &set))
		return -EFAULT;
	if (m->rsi) {
		switch (m->rdi) {
		case SIG_BLOCK:
			now = was | set;
			break;
		case SIG_UNBLOCK:
			now = was & ~set;
			break;
		case SIG_SETMASK:
			now = set;
			break;
		default:
			return -EINVAL;
		}
	}
	uc->uc_sigmask = now & ~NEEDED;
	blocked_for_them = now & NEEDED;
	return m->rdx && !sys_store64((void *)(uintptr_t)m->rdx, was) ? -EFAULT
								      : 0;
}

static int64_t change_altstack(struct ucontext *uc)
{
	const struct sigcontext *m = &uc->uc_mcontext;
	stack_t was = uc->uc_stack, new;

	if (m->rdi) {
		if (!sys_copy_in(&new, m->rdi, sizeof(new)))
			return -EFAULT;
		if (!(new.ss_flags & 2 /* SS_DISABLE */) && new.ss_size < 2048)
			return -ENOMEM;
		uc->uc_stack = new;
	}
	return m->rsi && !sys_copy_out(m->rsi, &was, sizeof(was)) ? -EFAULT : 0;
}

static int64_t change_action(const struct sigcontext *m, uint64_t *theirs)
{
	uint64_t was[ACTION_WORDS], new[ACTION_WORDS];

	if (m->r10 != 8)
		return -EINVAL;
	memcpy(was, theirs, sizeof(was));
	if (m->rsi) {
		if (!sys_copy_in(new, m->rsi, sizeof(new)))
			return -EFAULT;
		memcpy(theirs, new, sizeof(new));
	}
	return m->rdx && !sys_copy_out(m->rdx, was, sizeof(was)) ? -EFAULT : 0;
}

/* Calls that only change what the return from the handler sets, or is ours. */
static bool is_answered_here(struct ucontext *uc)
{
	struct sigcontext *m = &uc->uc_mcontext;
	int64_t r;

	if (m->rax == __NR_rt_sigprocmask)
		r = change_mask(uc);
	else if (m->rax == __NR_sigaltstack)
		r = change_altstack(uc);
	else if (m->rax == __NR_rt_sigaction && m->rdi == SIGSYS)
		r = change_action(m, their_sigsys);
	else if (m->rax == __NR_rt_sigaction && m->rdi == SIGSEGV)
		r = change_action(m, their_sigsegv);
	else
		return false;
	m->rax = (uint64_t)r;
	return true;
}

/* Back in a run, which does the call again, as a task. */
static void hold(struct ucontext *uc)
{
	uc->uc_mcontext.rip -= SYSCALL_BYTES;
	zygote_hold();
	uc->uc_sigmask = 0;	/* masks are the model's */
	sys_call2(__NR_sigaltstack, 0, &uc->uc_stack);
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
	if (makes_thread(m)) {
		hold(uc);
		return;
	}
	if (is_answered_here(uc))
		return;
	if (is_bound_to_frame(m) || trap_is_int80(info)) {
		startup_end();
		uc->uc_sigmask |= blocked_for_them;
		m->rip -= SYSCALL_BYTES;
		return;
	}
	m->rax = answer(m);
}

/* Restore the default handler; the faulting instruction runs again. */
static void on_sigsegv(int sig, struct signals_info *info, struct ucontext *uc)
{
	(void)sig;
	(void)info;
	struct sigcontext *m = &uc->uc_mcontext;

	if (m->rip >= (uintptr_t)sys_fault_start &&
	    m->rip < (uintptr_t)sys_fault_end)
		m->rip = (uintptr_t)sys_fault_exit;
	else if (!cpuid_emulate(m))
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
	random_state = process_random_state(PROCESS_RANDOM_STARTUP);
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
	if (blocked_for_them)
		sys_call4(__NR_rt_sigprocmask, SIG_BLOCK, &blocked_for_them, 0,
			  8);
	sys_call4(__NR_rt_sigaction, SIGSYS, their_sigsys, 0, 8);
	sys_call4(__NR_rt_sigaction, SIGSEGV, their_sigsegv, 0, 8);
}
