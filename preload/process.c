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

#include "preload/access.h"
#include "preload/files.h"

#define MAX_CHILDREN 256

extern RUNTIME_HIDDEN void signals_go_native(struct ucontext *uc,
					     uint64_t mask);

static int32_t children[MAX_CHILDREN];
static uint32_t nr_children;

RUNTIME_HIDDEN bool process_is_child(int64_t pid);
bool process_is_child(int64_t pid)
{
	int64_t wanted = pid < 0 ? -pid : pid;

	for (uint32_t i = 0; i < nr_children && i < MAX_CHILDREN; i++)
		if (children[i] == wanted)
			return true;
	return false;
}

static void note_child(int64_t pid)
{
	if (pid > 0)
		children[nr_children++ % MAX_CHILDREN] = (int32_t)pid;
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

static int64_t become_native(struct trap *t, uint64_t mask)
{
	runtime_mode = RUNTIME_NATIVE;
	sys_call2(__NR_prctl, PR_SET_TSC, PR_TSC_ENABLE);
	cpuid_trap(false);
	sys_call2(__NR_prctl, PR_SET_PDEATHSIG, 9);
	sys_call2(__NR_prctl, PR_SET_NAME, core_self()->name);
	signals_go_native(t->uc, mask);
	return 0;
}

/*
 * A child in our memory with a stack of its own, as posix_spawn makes it. It
 * starts as a task does: rt_sigreturn on a frame placed on that stack.
 */
static int64_t spawn_sharing(struct trap *t, struct clone_args *a)
{
	uint64_t top = a->stack + a->stack_size;
	uint64_t sp = (top - 128 - sizeof(struct ucontext)) & ~63ull;
	struct ucontext *uc = (void *)(uintptr_t)sp;
	uint64_t *entry = (uint64_t *)(uintptr_t)sp - 1;
	int64_t pid;

	memcpy(uc, t->uc, sizeof(*uc));
	uc->uc_flags &= ~(unsigned long)UC_FP_XSTATE;
	uc->uc_mcontext.fpstate = NULL;
	uc->uc_mcontext.rax = 0;
	uc->uc_mcontext.rsp = top;
	uc->uc_sigmask = core_self()->sigmask;
	if (access_has_patches())
		uc->uc_sigmask &= ~SIGNALS_BIT(SIGTRAP);
	*entry = (uintptr_t)sys_restorer;
	a->stack_size = (uintptr_t)entry - a->stack;
	runtime_mode = RUNTIME_NATIVE;
	sys_call2(__NR_prctl, PR_SET_TSC, PR_TSC_ENABLE);
	cpuid_trap(false);
	pid = sys_call5(__NR_clone, a->flags | a->exit_signal,
			a->stack + a->stack_size, a->parent_tid, a->child_tid,
			a->tls);
	process_trap_cpu();
	runtime_mode = RUNTIME_CONTROLLED;
	return pid;
}

static int64_t fork_copy(struct trap *t, const struct clone_args *a)
{
	/* A vfork child would run on our frames: give it a copy of them. */
	uint64_t flags = a->flags & ~(uint64_t)CLONE_VM;
	/* The parent may run on, and another task, before the child does. */
	uint64_t mask = core_self()->sigmask;
	int64_t pid;

	pid = sys_call5(__NR_clone, flags | a->exit_signal, 0, a->parent_tid,
			a->child_tid, a->tls);
	if (pid)
		return pid;
	/* It may block SIGTRAP, and nobody wants to know what it does. */
	access_restore_all();
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
		if (a.flags & CLONE_PIDFD)
			a.parent_tid = a.pidfd;	/* clone(2) returns it there */
	}
	return a;
}

int64_t process_fork(struct trap *t)
{
	struct clone_args a;
	int64_t pid;

	announce(t, EXPLORE_OP_FORK);
	a = clone_arguments(t);
	if (a.flags & CLONE_VM && a.stack && !(a.flags & CLONE_VFORK)) {
		/* Would run beside us in our memory: no thread, no process. */
		runtime_control->counters.raw_threads++;
		return -ENOSYS;
	}
	runtime_control->counters.forks++;
	order_show_all();
	pid = a.flags & CLONE_VM && a.stack ? spawn_sharing(t, &a)
					    : fork_copy(t, &a);
	if (runtime_mode != RUNTIME_NATIVE)
		note_child(pid);
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
	int64_t r;

	announce(t, EXPLORE_OP_EXEC);
	runtime_control->counters.execs++;
	copy_text(v->message, sizeof(v->message),
		  t->arg[t->nr == __NR_execveat ? 1 : 0]);
	v->step = runtime_scheduler()->step;
	runtime_control->digest = runtime_scheduler()->digest;
	v->kind = CONTROL_VERDICT_EXEC;
	sys_call2(__NR_prctl, PR_SET_TSC, PR_TSC_ENABLE);
	cpuid_trap(false);
	sys_call4(__NR_rt_sigprocmask, 2, &core_self()->sigmask, 0, 8);
	r = trap_pass(t);
	/* It came back: the program could not be executed. */
	sys_call4(__NR_rt_sigprocmask, 2, &none, 0, 8);
	process_trap_cpu();
	v->kind = CONTROL_VERDICT_NONE;
	v->message[0] = '\0';
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
			    "at exit, a thread still waits for a lock whose owner has ended");
	}
	runtime_end(CONTROL_VERDICT_EXIT, code, 0, t->site, "");
}

/* ------------------------------------------------------------ identity */

int64_t process_pid_arg(uint64_t pid)
{
	int64_t p = (int32_t)pid;

	if (p == runtime_control->config.virtual_pid || threads_by_tid((uint32_t)p) >= 0)
		return 0;	/* "the caller" in all calls that are marked */
	return p;
}

int64_t process_getpid(struct trap *t)
{
	(void)t;
	return runtime_control->config.virtual_pid;
}

int64_t process_getppid(struct trap *t)
{
	(void)t;
	return runtime_control->config.virtual_pid - 1;
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

#define RANDOM_FLAGS 7u		/* GRND_NONBLOCK, _RANDOM, _INSECURE */
#define RANDOM_PIECE 256u	/* bytes copied at a time */

int64_t process_getrandom(struct trap *t)
{
	uint8_t piece[RANDOM_PIECE];
	uint64_t done = 0, bytes = t->arg[1] < INT32_MAX ? t->arg[1] : INT32_MAX;
	static uint64_t state;
	const struct control_config *c = &runtime_control->config;

	/* Runs of one search get the same bytes: only the schedule differs. */
	if (!state)
		state = c->seed * 0x9e3779b97f4a7c15ull + 0x1234567;
	if (t->arg[2] & ~(uint64_t)RANDOM_FLAGS)
		return -EINVAL;
	while (done < bytes) {
		uint64_t n = bytes - done < sizeof(piece) ? bytes - done
							  : sizeof(piece);

		process_random(&state, piece, n);
		if (!sys_copy_out(t->arg[0] + done, piece, n))
			return done ? (int64_t)done : -EFAULT;
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
