/* SPDX-License-Identifier: MIT */
/*
 * signals_calls.c - the system calls about signals.
 */
#include <linux/errno.h>

#include "preload/memory/access.h"
#include "preload/kernel/ids.h"
#include "preload/kernel/signals.h"
#include "preload/kernel/timers.h"

/* ---------------------------------------------------------- the calls */

int64_t signals_sigaction(struct trap *t)
{
	int sig = (int)t->arg[0];
	struct action new, was;

	if (t->arg[3] != 8)
		return -EINVAL;
	if (t->arg[1] && !sys_copy_in(&new, t->arg[1], sizeof(new)))
		return -EFAULT;
	if (sig < 1 || sig > NR_SIGNALS)
		return -EINVAL;
	if (t->arg[1] && (sig == SIGKILL || sig == SIGSTOP))
		return -EINVAL;
	was = signals_action[sig];
	if (t->arg[1]) {
		signals_action[sig] = new;
		signals_action[sig].mask &= ~UNBLOCKABLE;
		signals_install(sig);
		if (signals_is_ignored(sig))
			signals_discard(SIGNALS_BIT(sig));
		timers_look_again();
	}
	if (t->arg[2] && !sys_copy_out(t->arg[2], &was, sizeof(was)))
		return -EFAULT;
	return 0;
}

int64_t signals_sigprocmask(struct trap *t)
{
	struct control_task *k = core_self();
	uint64_t was = k->sigmask, value;

	if (t->arg[3] != 8)
		return -EINVAL;
	if (t->arg[1]) {
		if (!sys_load64((const void *)(uintptr_t)t->arg[1], &value))
			return -EFAULT;
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
		signals_retarget(runtime_self(), k->sigmask & ~was);
		timers_look_again();
	}
	if (t->arg[2] && !sys_store64((void *)(uintptr_t)t->arg[2], was))
		return -EFAULT;
	return 0;
}

int64_t signals_sigaltstack(struct trap *t)
{
	struct control_task *k = core_self();
	stack_t was = {
		.ss_sp = (void *)(uintptr_t)k->altstack_sp,
		.ss_flags = k->altstack_bytes ? 0 : 2 /* SS_DISABLE */,
		.ss_size = k->altstack_bytes,
	}, new;

	if (t->arg[0]) {
		if (!sys_copy_in(&new, t->arg[0], sizeof(new)))
			return -EFAULT;
		if (new.ss_flags & 2) {
			k->altstack_bytes = 0;
		} else if (new.ss_size < 2048) {
			return -ENOMEM;
		} else {
			k->altstack_sp = (uintptr_t)new.ss_sp;
			k->altstack_bytes = new.ss_size;
		}
	}
	if (t->arg[1] && !sys_copy_out(t->arg[1], &was, sizeof(was)))
		return -EFAULT;
	return 0;
}

int64_t signals_sigpending(struct trap *t)
{
	uint64_t set = signals_pending_for(runtime_self()) &
		       core_self()->sigmask;

	if (t->arg[1] > sizeof(set))
		return -EINVAL;
	if (!sys_copy_out(t->arg[0], &set, t->arg[1]))
		return -EFAULT;
	if (set)
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
	/* The kernel would make a stack of the target the alternate one. */
	uc->uc_stack = t->uc->uc_stack;
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
	if (runtime_control->counters.forks && process_has_live_child())
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
	uint64_t mask;

	if (t->arg[1] != 8)
		return -EINVAL;
	if (!sys_load64((const void *)(uintptr_t)t->arg[0], &mask))
		return -EFAULT;
	k->saved_mask = k->sigmask;
	k->has_saved_mask = 1;
	k->sigmask = mask & ~UNBLOCKABLE;
	return wait_for_signal(t, 0);
}

int64_t signals_sigtimedwait(struct trap *t)
{
	struct control_task *k = core_self();
	struct signals_info info;
	uint64_t deadline = 0, set;
	int64_t ts[2], r;
	int sig;

	if (t->arg[3] != 8)
		return -EINVAL;
	if (!sys_load64((const void *)(uintptr_t)t->arg[0], &set) ||
	    (t->arg[2] && !sys_copy_in(ts, t->arg[2], sizeof(ts))))
		return -EFAULT;
	if (t->arg[2] && (ts[0] < 0 || (uint64_t)ts[1] >= 1000000000ull))
		return -EINVAL;
	if (t->arg[2])
		deadline = runtime_scheduler()->now_ns + 1 +
			   (uint64_t)ts[0] * 1000000000ull + (uint64_t)ts[1];
	k->wait_set = set;
	r = wait_for_signal(t, deadline);
	k->wait_set = 0;
	sig = signals_take(set, &info);
	if (!sig)
		return r;
	if (t->arg[1] && !sys_copy_out(t->arg[1], &info, sizeof(info)))
		return -EFAULT;
	return sig;
}

/* ------------------------------------------------------------- sending */

static int64_t send(struct trap *t, int task, const struct signals_info *info)
{
	struct runtime_op op = {
		.kind = EXPLORE_OP_SIGNAL_SEND,
		.object = runtime_object(
			SCHED_CLASS_SIGNAL,
			(void *)(uintptr_t)(task < 0 ? 0 : task), t->site),
		.pc = t->site,
	};

	core_point(&op);
	if (task >= 0 &&
	    runtime_scheduler()->task[task].state != SCHED_TASK_ALIVE)
		return -ESRCH;
	return info->signo ? signals_post(task, info) : 0;
}

static struct signals_info make_info(int sig, int code)
{
	struct signals_info info = {
		.signo = sig,
		.code = code,
		.pid = (int32_t)ids_process,
		.uid = (int32_t)sys_call0(__NR_getuid),
	};

	return info;
}

/*
 * The group has children in it, too. The kernel tells them; what it would do
 * to this process, whose mask it does not know, is taken back.
 */
static int64_t send_to_group(struct trap *t, const struct signals_info *info)
{
	uint64_t bit = SIGNALS_BIT(info->signo), was;
	const uint64_t now[2] = { 0, 0 };
	int64_t r;

	if (info->signo == 0 || !runtime_control->counters.forks)
		return send(t, -1, info);
	if (bit & UNBLOCKABLE)
		return trap_pass(t);
	r = send(t, -1, info);
	sys_call4(__NR_rt_sigprocmask, SIG_BLOCK, &bit, &was, 8);
	trap_pass(t);
	sys_call4(__NR_rt_sigtimedwait, &bit, 0, now, 8);
	sys_call4(__NR_rt_sigprocmask, SIG_SETMASK, &was, 0, 8);
	return r;
}

int64_t signals_kill(struct trap *t)
{
	int64_t pid = (int32_t)t->arg[0];
	struct signals_info info = make_info((int)t->arg[1], 0);

	if (t->arg[1] > NR_SIGNALS)
		return -EINVAL;
	if (ids_is_self(pid))
		return send(t, -1, &info);
	if (ids_is_own_group(pid))
		return send_to_group(t, &info);
	return ids_signal_other(t);
}

static int64_t send_to_tid(struct trap *t, uint32_t tid, int sig,
			   struct signals_info *info)
{
	int task = threads_by_tid(tid);

	if (sig < 0 || sig > NR_SIGNALS)
		return -EINVAL;
	return task < 0 ? ids_signal_other(t) : send(t, task, info);
}

int64_t signals_tgkill(struct trap *t)
{
	struct signals_info info = make_info((int)t->arg[2], -6 /* SI_TKILL */);

	if (!ids_is_self((int32_t)t->arg[0]))
		return ids_signal_other(t);
	return send_to_tid(t, (uint32_t)t->arg[1], (int)t->arg[2], &info);
}

int64_t signals_tkill(struct trap *t)
{
	struct signals_info info = make_info((int)t->arg[1], -6);

	return send_to_tid(t, (uint32_t)t->arg[0], (int)t->arg[1], &info);
}

int64_t signals_sigqueueinfo(struct trap *t)
{
	struct signals_info info;

	if (!sys_copy_in(&info, t->arg[2], sizeof(info)))
		return -EFAULT;
	info.signo = (int)t->arg[1];
	if (!ids_is_self((int32_t)t->arg[0]))
		return ids_signal_other(t);
	return send(t, -1, &info);
}

int64_t signals_pidfd(struct trap *t)
{
	struct signals_info info = make_info((int)t->arg[1], 0 /* SI_USER */);

	/* Flags say which of its threads or groups is meant: rare. */
	if (t->arg[3] || !ids_is_own_pidfd(t->arg[0]))
		return trap_pass(t);
	if (t->arg[1] > NR_SIGNALS)
		return -EINVAL;
	if (t->arg[2] && !sys_copy_in(&info, t->arg[2], sizeof(info)))
		return -EFAULT;
	return info.signo == (int)t->arg[1] ? send(t, -1, &info) : -EINVAL;
}

int64_t signals_tgsigqueueinfo(struct trap *t)
{
	struct signals_info info;

	if (!sys_copy_in(&info, t->arg[3], sizeof(info)))
		return -EFAULT;
	info.signo = (int)t->arg[2];
	if (!ids_is_self((int32_t)t->arg[0]))
		return ids_signal_other(t);
	return send_to_tid(t, (uint32_t)t->arg[1], (int)t->arg[2], &info);
}
