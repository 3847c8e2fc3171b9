/* SPDX-License-Identifier: MIT */
/*
 * process.c - fork, exec, wait, exit and what identifies the process.
 *
 * Children run natively: Syscall User Dispatch ends at fork, the runtime's
 * mode in the child's private memory turns native, and everything passes
 * through. A child that shares our memory (vfork, posix_spawn) suspends the
 * carrier until it execs or ends, so the mode is native just that long.
 */
#include <linux/errno.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "preload/core/notes.h"
#include "preload/memory/access.h"
#include "preload/kernel/attributes.h"
#include "preload/kernel/files.h"
#include "preload/kernel/ids.h"
#include "preload/kernel/seccomp.h"
#include "preload/kernel/virtuals.h"

extern RUNTIME_HIDDEN void signals_go_native(struct ucontext *uc,
					     uint64_t mask);

/* Also when one has ended and is not waited for, and there were others. */
bool process_has_children(void)
{
	uint64_t nr = runtime_control->counters.forks;
	uint32_t info[32] = { 0 };	/* siginfo_t: si_pid is word 3 */
	int64_t r;

	if (!nr)
		return false;
	r = sys_call5(__NR_waitid, P_ALL, 0, info,
		      WEXITED | WNOHANG | WNOWAIT, 0);
	return r >= 0 && (!info[3] || nr > 1);
}

static bool is_running(int64_t pid)
{
	int32_t info[32] = { 0 };	/* siginfo_t; si_pid is [3] or [4] */

	return !sys_call5(__NR_waitid, 1 /* P_PID */, pid, info,
			  4 | 1 | 0x01000000 /* WEXITED | WNOHANG | WNOWAIT */,
			  0) && !info[4];
}

bool process_has_live_child(void)
{
	return runtime_control->counters.forks &&
	       (ids_find_child(is_running) || ids_has_orphan());
}

/* ---------------------------------------------------------------- fork */

static void announce(struct trap *t, uint16_t kind)
{
	struct runtime_op op = { .kind = kind, .pc = t->site };

	core_point(&op);
}

void process_trap_cpu(void)
{
	if (!(runtime_control->config.flags & CONTROL_F_TRAP_TSC))
		return;
	sys_call2(__NR_prctl, PR_SET_TSC, PR_TSC_SIGSEGV);
	cpuid_trap(true);
}

/* What the kernel keeps per thread is the child's own from now on. */
static void set_native(void)
{
	sys_call2(__NR_prctl, PR_SET_TSC, PR_TSC_ENABLE);
	cpuid_trap(false);
	sys_call2(__NR_prctl, PR_SET_PDEATHSIG, 9);
	sys_call2(__NR_prctl, PR_SET_NAME, core_self()->name);
	attributes_set_native(runtime_self());
}

static int64_t become_native(struct trap *t, uint64_t mask)
{
	runtime_mode = RUNTIME_NATIVE;
	set_native();
	signals_go_native(t->uc, mask);
	seccomp_go_native();
	return 0;
}

/* As the target asked, but for what we changed in `a`. */
static int64_t clone_as(const struct trap *t, const struct clone_args *a)
{
	if (t->nr == __NR_clone3)
		return sys_call2(__NR_clone3, a, sizeof(*a));
	return sys_call5(__NR_clone, a->flags | a->exit_signal,
			 a->stack + a->stack_size, a->parent_tid, a->child_tid,
			 a->tls);
}

/*
 * A child in our memory, until it executes a program or ends; the carrier is
 * suspended meanwhile (vfork, posix_spawn). It may run on the very stack below
 * whose end our frames are, so these are kept elsewhere, and both sides are on
 * stacks of the runtime around the call.
 */
#define KEPT_BYTES 32768u
#define CHILD_STACK_BYTES 4096u

static struct sharing {
	const struct trap *trap;
	struct clone_args *args;
	int64_t result;
	struct ucontext uc;	/* where the child continues */
	uint64_t low, bytes;	/* our frames on the target's stack */
	uint8_t kept[KEPT_BYTES];
	_Alignas(16) uint8_t stack[CHILD_STACK_BYTES];
} sharing;

static _Noreturn void continue_sharing(void)
{
	set_native();
	if (sharing.args->flags & CLONE_SIGHAND)	/* they are ours, too */
		sharing.uc.uc_sigmask = core_self()->sigmask;
	else
		signals_go_native(&sharing.uc, core_self()->sigmask);
	if (access_has_patches())
		sharing.uc.uc_sigmask &= ~SIGNALS_BIT(SIGTRAP);
	seccomp_go_native();
	sys_sigreturn_at((uintptr_t)&sharing.uc);
}

static void clone_sharing(void *arg)
{
	struct sharing *s = arg;
	uint64_t *entry = (uint64_t *)(uintptr_t)(s->stack +
						  CHILD_STACK_BYTES) - 2;

	memcpy(s->kept, (void *)(uintptr_t)s->low, s->bytes);
	/* The stub's `ret` goes there. */
	entry[0] = (uintptr_t)continue_sharing;
	s->args->stack = (uintptr_t)s->stack;
	s->args->stack_size = (uintptr_t)entry - (uintptr_t)s->stack;
	runtime_mode = RUNTIME_NATIVE;
	s->result = clone_as(s->trap, s->args);
	memcpy((void *)(uintptr_t)s->low, s->kept, s->bytes);
	runtime_mode = RUNTIME_CONTROLLED;
}

static int64_t spawn_sharing(struct trap *t, struct clone_args *a)
{
	struct sharing *s = &sharing;
	uint64_t here, top = t->uc->uc_mcontext.rsp - 128;

	__asm__("mov %%rsp, %0" : "=r"(here));
	s->trap = t;
	s->args = a;
	s->uc = *t->uc;
	s->uc.uc_mcontext.rax = 0;
	if (a->stack)
		s->uc.uc_mcontext.rsp = a->stack + a->stack_size;
	s->low = here - 64;	/* core_call() saves two words */
	s->bytes = top - s->low;
	if (s->bytes > KEPT_BYTES)
		s->bytes = 0;	/* on different stacks */
	core_call(clone_sharing, s);
	return s->result;
}

static int64_t fork_copy(struct trap *t, struct clone_args *a)
{
	/* The parent may run on, and another task, before the child does. */
	uint64_t mask = core_self()->sigmask;
	uint64_t stack = a->stack + a->stack_size;
	int64_t pid;

	a->stack = a->stack_size = 0;	/* it begins in this frame */
	pid = clone_as(t, a);
	if (pid)
		return pid;
	if (stack)
		t->uc->uc_mcontext.rsp = stack;
	/* It may block SIGTRAP, and nobody wants to know what it does. */
	access_restore_all();
	virtuals_go_native();
	return become_native(t, mask);
}

static struct clone_args clone_arguments(const struct trap *t)
{
	struct clone_args a = { 0 };

	switch (t->nr) {
	case __NR_fork:
		a.exit_signal = SIGCHLD;
		break;
	case __NR_vfork:
		a.flags = CLONE_VM | CLONE_VFORK;
		a.exit_signal = SIGCHLD;
		break;
	case __NR_clone:
		a.flags = t->arg[0] & ~0xffull;
		a.exit_signal = t->arg[0] & 0xff;
		a.stack = t->arg[1];
		a.parent_tid = t->arg[2];
		a.child_tid = t->arg[3];
		a.tls = t->arg[4];
		break;
	default:
		sys_copy_in(&a, t->arg[0], t->arg[1] < sizeof(a) ? t->arg[1]
								 : sizeof(a));
	}
	return a;
}

int64_t process_fork(struct trap *t)
{
	struct clone_args a;
	int64_t pid;

	announce(t, EXPLORE_OP_FORK);
	notes_fork(t);
	a = clone_arguments(t);
	if (t->nr == __NR_clone3 && !a.stack != !a.stack_size)
		return -EINVAL;
	/* Would run beside us in our memory: no thread, no process. */
	if (a.flags & CLONE_VM && !(a.flags & CLONE_VFORK))
		runtime_end(
			CONTROL_VERDICT_INTERNAL, 0, 0, t->site,
			"a process made by clone() with CLONE_VM, but without "
			"CLONE_VFORK or CLONE_THREAD, cannot be held");
	runtime_control->counters.forks++;
	order_show_all();
	signals_hold(true);
	pid = a.flags & CLONE_VM ? spawn_sharing(t, &a) : fork_copy(t, &a);
	if (pid < 0)
		runtime_control->counters.forks--;
	if (runtime_mode != RUNTIME_NATIVE) {
		signals_hold(false);
		runtime_scheduler()->has_world = 1;
	}
	return pid;
}

/* As much as there is of a string of the target's. */
static void copy_text(char *to, size_t bytes, uint64_t from)
{
	uint64_t c = 1;
	size_t n = 0;

	while (c && n < bytes - 1 &&
	       sys_load8((const void *)(uintptr_t)(from + n), &c))
		to[n++] = (char)c;
	to[n] = '\0';
}

int64_t process_execve(struct trap *t)
{
	struct control_verdict *v = &runtime_control->verdict;
	uint64_t none = 0;
	bool is_filtered = false;
	int64_t r;

	announce(t, EXPLORE_OP_EXEC);
	if (exec_hand_over(t))
		runtime_end(CONTROL_VERDICT_EXEC, 0, 0, t->site,
			    runtime_control->exec.text);
	runtime_control->counters.execs++;
	copy_text(v->message, sizeof(v->message),
		  t->arg[t->nr == __NR_execveat ? 1 : 0]);
	v->step = runtime_scheduler()->step;
	runtime_control->digest = runtime_scheduler()->digest;
	v->kind = CONTROL_VERDICT_EXEC;
	sys_call2(__NR_prctl, PR_SET_TSC, PR_TSC_ENABLE);
	cpuid_trap(false);
	sys_call4(__NR_rt_sigprocmask, 2, &core_self()->sigmask, 0, 8);
	if (seccomp_is_on && exec_can_run(t)) {
		seccomp_go_native();
		is_filtered = seccomp_nr_filters(runtime_self());
	}
	r = trap_pass(t);
	/* It came back: the program could not be executed. */
	v->kind = CONTROL_VERDICT_NONE;
	v->message[0] = '\0';
	if (is_filtered)	/* the kernel would put our calls to them */
		runtime_end(CONTROL_VERDICT_INTERNAL, 0, 0, t->site,
			    "a program with a seccomp filter could not be "
			    "replaced by execve()");
	runtime_control->counters.execs--;
	sys_call4(__NR_rt_sigprocmask, 2, &none, 0, 8);
	process_trap_cpu();
	return r;
}

/* ---------------------------------------------------------------- wait */

int64_t process_wait4(struct trap *t)
{
	int64_t pid = (int32_t)t->arg[0], r;
	uint64_t idtype = pid == -1 ? 0 : pid > 0 ? 1 : 2;

	if (!(t->arg[2] & 1)) {
		uint64_t id = pid < 0 ? (uint64_t)-pid : (uint64_t)pid;

		r = files_wait_child(t, idtype, idtype ? id : 0,
				     4 /* WEXITED */ | (t->arg[2] & ~1ull));
		if (r < 0)
			return r;
	}
	return sys_call4(__NR_wait4, pid, t->arg[1], t->arg[2] | 1, t->arg[3]);
}

int64_t process_waitid(struct trap *t)
{
	int64_t r;

	if (!(t->arg[3] & 1)) {
		r = files_wait_child(t, t->arg[0], t->arg[1], t->arg[3]);
		if (r < 0)
			return r;
	}
	t->arg[3] |= 1;
	return trap_pass(t);
}

/* ---------------------------------------------------------------- exit */

/* A task that waits for a lock whose owner ended without releasing it. */
static int find_orphaned(struct scheduler *s)
{
	for (uint32_t i = 0; i < s->nr_live; i++) {
		const struct sched_task *task = &s->task[s->live[i]];
		uint32_t owner;

		if (task->op.kind != EXPLORE_OP_MUTEX_LOCK || !task->op.object)
			continue;
		owner = scheduler_object(s, task->op.object)->owner;
		if (owner && s->task[owner - 1].state == SCHED_TASK_DEAD)
			return s->live[i];
	}
	return -1;
}

int64_t process_exit_group(struct trap *t)
{
	struct scheduler *s = runtime_scheduler();
	int32_t code = (int32_t)t->arg[0] & 0xff;
	int orphan;

	announce(t, EXPLORE_OP_PROCESS_EXIT);
	orphan = code ? -1 : find_orphaned(s);
	if (orphan >= 0) {
		runtime_control->verdict.task = (uint32_t)orphan;
		runtime_end(CONTROL_VERDICT_PARTIAL_DEADLOCK, 0,
			    s->task[orphan].op.object, s->task[orphan].pc,
			    "at exit, a thread still waits for a lock whose "
			    "owner has ended");
	}
	runtime_end(CONTROL_VERDICT_EXIT, code, 0, t->site, "");
}

/* ------------------------------------------------------------ identity */

int64_t process_getpid(struct trap *t)
{
	(void)t;
	return ids_process;
}

/* The zygote's: as the kernel has it, and as it stays. */
int64_t process_getppid(struct trap *t)
{
	(void)t;
	return sys_call0(__NR_getppid);
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

int64_t process_random(uint64_t *state, uint8_t *out, uint64_t bytes)
{
	uint64_t bits = 0;

	for (uint64_t i = 0; i < bytes; i++) {
		if (i % 8 == 0)
			bits = next_random(state);
		out[i] = (uint8_t)(bits >> i % 8 * 8);
	}
	return (int64_t)bytes;
}

uint64_t process_random_state(uint64_t salt)
{
	uint64_t state = runtime_control->config.seed;

	/* Else the bytes of a seed would be those of the next, shifted. */
	state = next_random(&state) + salt;
	return next_random(&state) | 1;
}

#define RANDOM_FLAGS 7u		/* GRND_NONBLOCK, _RANDOM, _INSECURE */
#define RANDOM_PIECE 256u	/* bytes copied at a time */

/* As many bytes as there is room for; how many. */
static uint64_t copy_part(uint64_t to, const uint8_t *from, uint64_t bytes)
{
	uint64_t n = 0;

	while (n < bytes && sys_store8((void *)(uintptr_t)(to + n), from[n]))
		n++;
	return n;
}

int64_t process_getrandom(struct trap *t)
{
	uint8_t piece[RANDOM_PIECE];
	uint64_t done = 0,
		 bytes = t->arg[1] < INT32_MAX ? t->arg[1] : INT32_MAX;
	static uint64_t state;

	/* Runs of one search get the same bytes: only the schedule differs. */
	if (!state)
		state = process_random_state(PROCESS_RANDOM_MAIN);
	if (t->arg[2] & ~(uint64_t)RANDOM_FLAGS)
		return -EINVAL;
	while (done < bytes) {
		uint64_t n = bytes - done < sizeof(piece) ? bytes - done
							  : sizeof(piece);

		process_random(&state, piece, n);
		if (!sys_copy_out(t->arg[0] + done, piece, n)) {
			done += copy_part(t->arg[0] + done, piece, n);
			return done ? (int64_t)done : -EFAULT;
		}
		done += n;
	}
	return (int64_t)done;
}

/* The kernel would act behind our back: programs fall back without it. */
int64_t process_io_uring(struct trap *t)
{
	(void)t;
	runtime_control->counters.io_uring++;
	return -ENOSYS;
}
