/* SPDX-License-Identifier: MIT */
/*
 * signals_queue.c - what is pending, for whom, and who is told of it.
 */
#include "preload/signals.h"

#define QUEUE_MAX 256

struct action signals_action[NR_SIGNALS + 1];
static struct {
	int task;	/* -1: the process */
	struct signals_info info;
} queue[QUEUE_MAX];
static uint32_t nr_queued;
uint64_t signals_pending;
/* Noted by the real handler, moved into the model by signals_collect(). */
volatile uint64_t signals_arrived;
struct signals_info signals_arrived_info[NR_SIGNALS + 1];

bool signals_is_ignored(int sig)
{
	if (signals_action[sig].handler == 1 /* SIG_IGN */)
		return true;
	return signals_action[sig].handler == 0 &&
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
	if (signals_is_ignored(sig) && (task < 0 || !((core_task((uint32_t)task)->sigmask |
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

void signals_dispositions(uint64_t *ignored, uint64_t *caught)
{
	*ignored = *caught = 0;
	for (int sig = 1; sig <= NR_SIGNALS; sig++)
		if (signals_action[sig].handler == 1 /* SIG_IGN */)
			*ignored |= SIGNALS_BIT(sig);
		else if (signals_action[sig].handler)
			*caught |= SIGNALS_BIT(sig);
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
		signals_post(-1, &signals_arrived_info[sig]);
	}
}

void signals_start_run(void)
{
	nr_queued = 0;
	signals_pending = 0;
	signals_arrived = 0;
	signals_forget_assert();
	core_task(0)->sigmask = signals_initial_mask;
}
