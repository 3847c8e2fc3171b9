/* SPDX-License-Identifier: MIT */
/*
 * threads.c - clone, exit and what the kernel keeps per thread.
 */
#include <asm/prctl.h>
#include <linux/errno.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#include "preload/memory/access.h"
#include "preload/kernel/attributes.h"
#include "preload/kernel/ids.h"
#include "preload/core/rounds.h"
#include "preload/kernel/seccomp.h"
#include "preload/kernel/traps.h"

/* ------------------------------------------------------------- queries */

int threads_by_tid(uint32_t tid)
{
	struct control *c = runtime_control;
	struct scheduler *s = runtime_scheduler();

	for (uint32_t i = 0; i < s->nr_live; i++)
		if (c->task[s->live[i]].tid == tid)
			return s->live[i];
	return -1;
}

static bool has_handle(uint32_t t, uint64_t handle)
{
	const struct sched_task *task = &runtime_control->scheduler.task[t];

	return runtime_control->task[t].handle == handle &&
	       task->state != SCHED_TASK_FREE &&
	       !(task->flags & SCHED_TASK_JOINED) &&
	       !(task->state == SCHED_TASK_DEAD &&
		 task->flags & SCHED_TASK_DETACHED);
}

/* Where handles were named or found last: they are pages apart. */
#define NR_PLACES 64u
static uint16_t place_of_handle[NR_PLACES];

static uint16_t *place(uint64_t handle)
{
	return &place_of_handle[(handle >> 12 ^ handle >> 20) % NR_PLACES];
}

int runtime_task_by_handle(uint64_t handle)
{
	struct scheduler *s = runtime_scheduler();
	uint16_t *hint = place(handle);

	if (*hint < s->nr_tasks && has_handle(*hint, handle))
		return *hint;
	for (uint32_t t = s->nr_tasks; t-- > 0;)
		if (has_handle(t, handle)) {
			*hint = (uint16_t)t;
			return (int)t;
		}
	return -1;
}

void runtime_set_own_handle(uint64_t handle)
{
	core_self()->handle = handle;
}

/* The task made last, if the current one made it. */
static int last_child;

int runtime_name_child(uint64_t handle, uint64_t start_pc)
{
	struct scheduler *s = runtime_scheduler();
	int t = last_child;

	if (t <= 0 || s->task[t].parent != s->current)
		return -1;
	core_task((uint32_t)t)->handle = handle;
	*place(handle) = (uint16_t)t;
	core_task((uint32_t)t)->start_pc = start_pc;
	s->task[t].pc = start_pc;
	last_child = 0;
	return t;
}

/* ---------------------------------------------------------- main's own */

/*
 * What libc told the kernel of main before it was held. In private memory,
 * which every run gets with its fork.
 */
#define ROBUST_HEAD_BYTES 24	/* sizeof(struct robust_list_head) */

static uint64_t main_robust_list, main_clear_tid;
static char main_name[16];

/*
 * The kernel tells where the thread id is only if it was built with
 * checkpoints. Otherwise: glibc keeps it and a link before the list's head.
 */
static uint64_t find_clear_tid(uint64_t robust_list, uint32_t tid)
{
	uint64_t addr = 0, guess = robust_list - 16;
	uint32_t value;

	if (!sys_call2(__NR_prctl, PR_GET_TID_ADDRESS, &addr))
		return addr;
	if (robust_list && sys_load32((void *)(uintptr_t)guess, &value) &&
	    value == tid)
		return guess;
	return 0;
}

void threads_init(void)
{
	uint32_t tid = (uint32_t)sys_call0(__NR_gettid);
	uint64_t bytes;

	if (sys_call3(__NR_get_robust_list, 0, &main_robust_list, &bytes) < 0)
		main_robust_list = 0;
	main_clear_tid = find_clear_tid(main_robust_list, tid);
	sys_call2(__NR_prctl, PR_GET_NAME, main_name);
	attributes_init();
}

void threads_start_run(void)
{
	struct control_task *k = core_task(0);

	k->robust_list = main_robust_list;
	k->robust_bytes = main_robust_list ? ROBUST_HEAD_BYTES : 0;
	k->clear_tid = main_clear_tid;
	memcpy(k->name, main_name, sizeof(k->name));
	attributes_start_run();
}

/* ------------------------------------------------------------ creation */

#define MAX_TLS_BYTES (16u << 20)

/*
 * The first context of a task: a signal frame on our stack of it that
 * rt_sigreturn loads, without FPU state (the kernel then starts it clean), and
 * below it what core_enter() would have left.
 */
static uint64_t build_stack(const struct ucontext *parent, uint64_t stack,
			    uint32_t task)
{
	uint64_t sp = (core_stack_of(task) - sizeof(struct ucontext)) & ~63ull;
	struct ucontext *uc = (struct ucontext *)(uintptr_t)sp;
	struct core_frame *f = (struct core_frame *)(uintptr_t)sp - 1;

	memcpy(uc, parent, sizeof(*uc));
	uc->uc_flags &= ~(unsigned long)UC_FP_XSTATE;
	uc->uc_mcontext.fpstate = NULL;
	uc->uc_mcontext.rax = 0;
	uc->uc_mcontext.rsp = stack;
	uc->uc_sigmask = 0;
	memset(f, 0, sizeof(*f));
	f->mxcsr = 0x1f80;	/* power-on values */
	f->fpcw = 0x37f;
	f->ip = (uintptr_t)sys_restorer;
	return (uintptr_t)f;
}

/* Natively it would have gone on: nothing that the target could be told. */
static _Noreturn void end_full(const struct trap *t)
{
	const struct scheduler *s = &runtime_control->scheduler;

	runtime_end(CONTROL_VERDICT_INTERNAL, 0, 0, t->site,
		    s->nr_live >= SCHED_MAX_TASKS / 2
			    ? "more threads at a time than explore can follow "
			      "(4096, with those that were neither joined nor "
			      "detached)"
			    : "more synchronisation objects than explore can "
			      "follow");
}

/* No two threads of a run have the same number. */
static uint32_t new_tid(uint32_t child, uint32_t nr_reused)
{
	const struct scheduler *s = &runtime_control->scheduler;

	if (s->nr_reused != nr_reused)
		child = SCHED_MAX_TASKS + nr_reused;
	return ids_of_task(child);
}

void threads_make(struct trap *t, uint64_t flags, uint64_t stack,
		  uint64_t parent_tid, uint64_t child_tid, uint64_t tls)
{
	struct scheduler *s = runtime_scheduler();
	uint32_t parent = s->current, nr_reused = s->nr_reused;
	int child = scheduler_task_new(s, parent, t->site);
	struct control_task *k;

	if (child < 0)
		end_full(t);
	k = core_task((uint32_t)child);
	memset(k, 0, sizeof(*k));
	k->tid = new_tid((uint32_t)child, nr_reused);
	k->fs_base = flags & CLONE_SETTLS ? tls : sys_get_fs();
	core_gs[child] = core_keeps_gs ? sys_get_gs() : 0;
	k->clear_tid = flags & CLONE_CHILD_CLEARTID ? child_tid : 0;
	k->sigmask = core_task(parent)->sigmask;
	memcpy(k->name, core_task(parent)->name, sizeof(k->name));
	attributes_inherit(parent, (uint32_t)child);
	if (flags & CLONE_PARENT_SETTID)
		sys_store32((void *)(uintptr_t)parent_tid, k->tid);
	if (flags & CLONE_CHILD_SETTID)
		sys_store32((void *)(uintptr_t)child_tid, k->tid);
	k->saved_sp = build_stack(t->uc, stack, (uint32_t)child);
	k->reg_ip = t->site;
	k->reg_sp = stack;
	last_child = child;
	order_fork(parent, (uint32_t)child);
	if (seccomp_is_on)
		seccomp_inherit(parent, (uint32_t)child);
	t->uc->uc_mcontext.rax = k->tid;
}

static int64_t make_task(struct trap *t, uint64_t flags, uint64_t stack,
			 uint64_t parent_tid, uint64_t child_tid, uint64_t tls)
{
	threads_make(t, flags, stack, parent_tid, child_tid, tls);
	return (int64_t)t->uc->uc_mcontext.rax;
}

/*
 * What an ended thread did on a stack that is used anew is history, and so is
 * what was done to its thread-local variables, which lie between the stack's
 * end and the thread pointer.
 */
static void forget_stack(uint64_t start, uint64_t end, uint64_t flags,
			 uint64_t tls)
{
	if (flags & CLONE_SETTLS && tls > end && tls - end < MAX_TLS_BYTES)
		end = tls;
	if (end > start)
		runtime_forget_memory(start, end - start, 0);
}

/* As clone3(2) takes a structure that is older or newer than ours. */
static int64_t read_clone_args(const struct trap *t, struct clone_args *a)
{
	uint64_t size = t->arg[1], rest;

	if (size > 4096)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	for (uint64_t i = sizeof(*a); i < size; i++)
		if (!sys_load8((void *)(uintptr_t)(t->arg[0] + i), &rest))
			return -EFAULT;
		else if (rest)
			return -E2BIG;
	return sys_copy_in(a, t->arg[0], size < sizeof(*a) ? size : sizeof(*a))
		       ? 0 : -EFAULT;
}

/* What threads share belongs together; see clone(2). */
static bool is_thread_whole(uint64_t flags)
{
	return (flags & (CLONE_SIGHAND | CLONE_VM)) ==
	       (CLONE_SIGHAND | CLONE_VM);
}

int64_t threads_clone(struct trap *t)
{
	struct clone_args a = { 0 };

	if (t->nr == __NR_clone3) {
		int64_t r = read_clone_args(t, &a);

		if (r)
			return r;
		if (!(a.flags & CLONE_THREAD))
			return process_fork(t);
		if (!is_thread_whole(a.flags) || !a.stack != !a.stack_size)
			return -EINVAL;
		forget_stack(a.stack, a.stack + a.stack_size, a.flags, a.tls);
		return make_task(t, a.flags, a.stack + a.stack_size,
				 a.parent_tid, a.child_tid, a.tls);
	}
	if (!(t->arg[0] & CLONE_THREAD))
		return process_fork(t);
	if (!is_thread_whole(t->arg[0]))
		return -EINVAL;
	/* How far down the stack goes is not said. */
	forget_stack(t->arg[1], t->arg[1], t->arg[0], t->arg[4]);
	return make_task(t, t->arg[0], t->arg[1], t->arg[2], t->arg[3],
			 t->arg[4]);
}

/* ---------------------------------------------------------------- exit */

#define ROBUST_LIMIT 2048

/* One robust futex of a task that ended (get_robust_list(2)). */
static void release_robust(uint64_t addr, uint32_t tid)
{
	volatile uint32_t *word = (volatile uint32_t *)(uintptr_t)addr;
	uint32_t value, owner;

	if (!sys_load32(word, &value))
		return;
	owner = value & FUTEX_TID_MASK;
	if (owner != tid)
		return;
	sys_store32(word, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
	futex_wake_address(addr, 1);
}

static void walk_robust_list(const struct control_task *k)
{
	uint64_t head = k->robust_list, entry, next, offset, pending;

	if (!head || !sys_load64((void *)(uintptr_t)head, &entry) ||
	    !sys_load64((void *)(uintptr_t)(head + 8), &offset) ||
	    !sys_load64((void *)(uintptr_t)(head + 16), &pending))
		return;
	for (int i = 0; i < ROBUST_LIMIT && (entry & ~1ull) != head; i++) {
		uint64_t lock = entry & ~1ull;

		if (!sys_load64((void *)(uintptr_t)lock, &next))
			break;
		if (entry != pending)
			release_robust(lock + offset, k->tid);
		entry = next;
	}
	if (pending & ~1ull)
		release_robust((pending & ~1ull) + offset, k->tid);
}

int64_t threads_exit(struct trap *t)
{
	struct scheduler *s = runtime_scheduler();
	struct control_task *k = core_self();
	uint32_t self = s->current;
	struct runtime_op op = {
		.kind = EXPLORE_OP_THREAD_EXIT,
		.object = runtime_object(SCHED_CLASS_THREAD,
					 (void *)(uintptr_t)self, t->site),
		.pc = t->site,
	};

	core_point(&op);
	walk_robust_list(k);
	interpose_task_exited(self);
	if (k->clear_tid) {
		sys_store32((void *)(uintptr_t)k->clear_tid, 0);
		/* Who sees that it is 0 knows that the task is over. */
		runtime_note_atomic(k->clear_tid, 4);
		futex_wake_address(k->clear_tid, 1);
	}
	scheduler_task_exit(s, self);
	/* Made without pthread_create(): nobody can join it. */
	if (!k->handle)
		s->task[self].flags |= SCHED_TASK_DETACHED;
	signals_retarget(self, ~0ull);
	if (!s->nr_live)
		runtime_end(CONTROL_VERDICT_EXIT, (int32_t)t->arg[0] & 0xff, 0,
			    t->site, "");
	core_enter();
	__builtin_unreachable();
}

/* ------------------------------------------------- small per-task calls */

int64_t threads_gettid(struct trap *t)
{
	(void)t;
	return core_self()->tid;
}

int64_t threads_set_tid_address(struct trap *t)
{
	core_self()->clear_tid = t->arg[0];
	return core_self()->tid;
}

int64_t threads_set_robust_list(struct trap *t)
{
	if (t->arg[1] != ROBUST_HEAD_BYTES)
		return -EINVAL;
	core_self()->robust_list = t->arg[0];
	core_self()->robust_bytes = t->arg[1];
	return 0;
}

int64_t threads_get_robust_list(struct trap *t)
{
	int task = t->arg[0] ? threads_by_tid((uint32_t)t->arg[0])
			     : (int)runtime_self();

	if (task < 0)
		return -ESRCH;
	if (!sys_store64((void *)(uintptr_t)t->arg[2], ROBUST_HEAD_BYTES) ||
	    !sys_store64((void *)(uintptr_t)t->arg[1],
			 core_task((uint32_t)task)->robust_list))
		return -EFAULT;
	return 0;
}

/*
 * One registration per kernel thread would be shared by all tasks. An error
 * would make glibc abort, so it is told that it worked.
 */
int64_t threads_rseq(struct trap *t)
{
	(void)t;
	return 0;
}

int64_t threads_yield(struct trap *t)
{
	struct runtime_op op = { .kind = EXPLORE_OP_YIELD, .pc = t->site };
	const void *vectors = t->uc ? t->uc->uc_mcontext.fpstate : NULL;

	if (rounds_is_back_at_call(t->arg, vectors))
		op.flags = EXPLORE_OP_F_IDLE;
	core_point(&op);
	return 0;
}

/* The process goes by main's name, for the world and for /proc. */
void threads_set_name(uint32_t task, const char *name)
{
	struct control_task *k = core_task(task);

	memcpy(k->name, name, sizeof(k->name));
	if (!task)
		sys_call2(__NR_prctl, PR_SET_NAME, k->name);
}

static int64_t set_name(uint64_t from)
{
	char name[16] = { 0 };
	uint64_t c;

	for (int i = 0; i < 15; i++) {
		if (!sys_load8((const void *)(uintptr_t)(from + (unsigned)i),
			       &c))
			return -EFAULT;
		name[i] = (char)c;
		if (!c)
			break;
	}
	threads_set_name(runtime_self(), name);
	return 0;
}

int64_t threads_prctl(struct trap *t)
{
	int64_t r;

	if (seccomp_prctl(t, &r))
		return r;
	switch (t->arg[0]) {
	case PR_SET_NAME:
		return set_name(t->arg[1]);
	case PR_GET_NAME:
		return sys_copy_out(t->arg[1], core_self()->name, 16) ? 0
							: -EFAULT;
	case PR_GET_TSC:
		return sys_store32((void *)(uintptr_t)t->arg[1],
				   PR_TSC_ENABLE) ? 0 : -EFAULT;
	case PR_SET_TSC:
		return t->arg[1] == PR_TSC_ENABLE ? 0 : -EINVAL;
	case 59 /* PR_SET_SYSCALL_USER_DISPATCH */:
		return -EINVAL;	/* ours */
	case PR_SET_PDEATHSIG:
	case PR_GET_PDEATHSIG:
	case PR_SET_TIMERSLACK:
	case PR_GET_TIMERSLACK:
	case PR_SET_NO_NEW_PRIVS:
	case PR_GET_NO_NEW_PRIVS:
		return attributes_prctl(t);
	default:
		return trap_pass(t);
	}
}

/* Bases are the carrier's; switches keep them apart. cpuid faults for us. */
int64_t threads_arch_prctl(struct trap *t)
{
	switch ((uint32_t)t->arg[0]) {
	case ARCH_SET_GS:
		core_keeps_gs = true;
		return trap_pass(t);
	case ARCH_GET_CPUID:
		return 1;
	case ARCH_SET_CPUID:
		return -ENODEV;
	default:
		return trap_pass(t);
	}
}
