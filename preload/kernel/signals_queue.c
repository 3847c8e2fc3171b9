/* SPDX-License-Identifier: MIT */
/*
 * signals_queue.c - what is pending, for whom, and who is told of it.
 *
 * The queue holds one entry a signal, oldest first. One sent to the process is
 * given to a task that takes it, as the kernel does when it wakes a thread,
 * and stays the process's: should that task block it or end before, it goes to
 * another.
 */
#include <linux/errno.h>
#include <linux/resource.h>

#include "preload/kernel/ids.h"
#include "preload/kernel/signals.h"
#include "preload/kernel/timers.h"
#include "scheduler/objects.h"

#define QUEUE_MAX 32768u
#define NO_ENTRY UINT32_MAX
#define ARRIVALS_MAX 1024u
#define FIRST_QUEUED 32		/* SIGRTMIN of the kernel: several may wait */
#define STOPS (SIGNALS_BIT(SIGSTOP) | SIGNALS_BIT(SIGTSTP) | \
	       SIGNALS_BIT(SIGTTIN) | SIGNALS_BIT(SIGTTOU))
/* The kernel sends them to the thread whose call or instruction it was. */
#define OF_CALLS (SIGNALS_BIT(SIGPIPE) | SIGNALS_BIT(SIGXFSZ))

struct entry {
	int32_t task;		/* who gets it; -1: nobody takes it yet */
	uint32_t next;		/* the next younger one */
	bool is_of_process;
	struct signals_info info;
};

struct action signals_action[NR_SIGNALS + 1];
uint64_t signals_pending;
bool signals_have_news;
uint64_t signals_nr_posted;

static struct entry queue[QUEUE_MAX];
static uint32_t oldest = NO_ENTRY, youngest = NO_ENTRY, nr_entries;
static uint32_t first_free = NO_ENTRY, nr_touched;

/*
 * Noted by the real handler, moved into the model by signals_collect(). The
 * handler blocks all others, so there is one writer, and one reader.
 */
volatile uint64_t signals_arrived;
static struct signals_info arrivals[ARRIVALS_MAX];
static volatile uint32_t nr_arrived, nr_taken_in;

/* ------------------------------------------------------------ the queue */

static uint32_t limit(void)
{
	struct rlimit r;

	if (sys_call2(__NR_getrlimit, RLIMIT_SIGPENDING, &r) ||
	    r.rlim_cur > QUEUE_MAX)
		return QUEUE_MAX;
	return (uint32_t)r.rlim_cur;
}

/* What the kernel does not send without its siginfo; timers have theirs. */
static bool is_refused(const struct signals_info *info)
{
	return info->signo >= FIRST_QUEUED && info->code != SIGNALS_CODE_USER &&
	       info->code != SIGNALS_CODE_TIMER && nr_entries >= limit();
}

static uint32_t new_entry(void)
{
	uint32_t e = first_free;

	if (e != NO_ENTRY) {
		first_free = queue[e].next;
		return e;
	}
	return nr_touched < QUEUE_MAX ? nr_touched++ : NO_ENTRY;
}

static bool append(int task, bool is_of_process,
		   const struct signals_info *info)
{
	uint32_t e = new_entry();

	if (e == NO_ENTRY)
		return false;
	queue[e].task = task;
	queue[e].next = NO_ENTRY;
	queue[e].is_of_process = is_of_process;
	queue[e].info = *info;
	if (youngest == NO_ENTRY)
		oldest = e;
	else
		queue[youngest].next = e;
	youngest = e;
	nr_entries++;
	return true;
}

static void take_out(uint32_t e, uint32_t before)
{
	if (before == NO_ENTRY)
		oldest = queue[e].next;
	else
		queue[before].next = queue[e].next;
	if (youngest == e)
		youngest = before;
	queue[e].next = first_free;
	first_free = e;
	nr_entries--;
}

static bool is_queued(int task, int sig)
{
	for (uint32_t e = oldest; e != NO_ENTRY; e = queue[e].next)
		if (queue[e].task == task && queue[e].info.signo == sig)
			return true;
	return false;
}

/* A signal that does not queue is pending for the process already. */
static bool is_pending_for_process(int sig)
{
	for (uint32_t e = oldest; e != NO_ENTRY; e = queue[e].next)
		if (queue[e].is_of_process && queue[e].info.signo == sig)
			return true;
	return false;
}

static bool is_pending_for_task(int task, int sig)
{
	for (uint32_t e = oldest; e != NO_ENTRY; e = queue[e].next)
		if (queue[e].task == task && !queue[e].is_of_process &&
		    queue[e].info.signo == sig)
			return true;
	return false;
}

bool signals_is_queued(const struct signals_info *info)
{
	for (uint32_t e = oldest; e != NO_ENTRY; e = queue[e].next)
		if (queue[e].info.signo == info->signo &&
		    queue[e].info.code == info->code &&
		    queue[e].info.pid == info->pid)
			return true;
	return false;
}

static void set_pending(int task, uint64_t bit, bool on)
{
	uint64_t *set = task < 0 ? &signals_pending
				 : &core_task((uint32_t)task)->sigpending;

	*set = on ? *set | bit : *set & ~bit;
}

/* ----------------------------------------------------------- who gets it */

bool signals_is_ignored(int sig)
{
	if (signals_action[sig].handler == 1 /* SIG_IGN */)
		return true;
	return signals_action[sig].handler == 0 &&
	       (sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH ||
		sig == SIGCONT);
}

bool signals_is_stop(int sig)
{
	return SIGNALS_BIT(sig) & STOPS && signals_action[sig].handler == 0;
}

void runtime_interrupt(uint32_t task)
{
	struct scheduler *s = runtime_scheduler();

	if (s->task[task].state != SCHED_TASK_ALIVE)
		return;
	s->task[task].flags |= SCHED_TASK_INTERRUPTED;
	scheduler_unwait(s, task, SCHED_WAKE_INTERRUPTED);
}

static bool takes(uint32_t t, uint64_t bit)
{
	const struct control_task *k = core_task(t);

	return (~k->sigmask | k->wait_set) & bit;
}

/* Main first, as the kernel prefers it; then by age. -1: all block it. */
static int find_receiver(uint64_t bit, int but)
{
	struct scheduler *s = runtime_scheduler();

	for (uint32_t i = 0; i < s->nr_live; i++)
		if (s->live[i] != but && takes(s->live[i], bit))
			return s->live[i];
	return -1;
}

static bool is_awaited(uint64_t bit)
{
	struct scheduler *s = runtime_scheduler();

	for (uint32_t i = 0; i < s->nr_live; i++)
		if (core_task(s->live[i])->wait_set & bit)
			return true;
	return false;
}

/*
 * Blocked ones are never ignored: there may be a handler when they are not
 * blocked any more. Main's mask decides for the process.
 */
static bool is_dropped(int task, int sig)
{
	const struct control_task *k = core_task(task < 0 ? 0 : (uint32_t)task);
	uint64_t bit = SIGNALS_BIT(sig);

	return signals_is_ignored(sig) && !((k->sigmask | k->wait_set) & bit) &&
	       !(task < 0 && is_awaited(bit));
}

static bool can_stop(int task, uint64_t bit)
{
	return task < 0 ? find_receiver(bit, -1) >= 0
			: takes((uint32_t)task, bit);
}

static void tell(int task, uint64_t bit)
{
	signals_have_news = true;
	if (task >= 0 && core_task((uint32_t)task)->wait_set & bit)
		scheduler_task(runtime_scheduler(), (uint32_t)task)->flags |=
			SCHED_TASK_READY;
}

void signals_discard(uint64_t set)
{
	uint32_t before = NO_ENTRY, next;

	for (uint32_t e = oldest; e != NO_ENTRY; e = next) {
		next = queue[e].next;
		if (!(SIGNALS_BIT(queue[e].info.signo) & set)) {
			before = e;
			continue;
		}
		set_pending(queue[e].task, SIGNALS_BIT(queue[e].info.signo),
			    false);
		take_out(e, before);
	}
}

int64_t signals_post(int task, const struct signals_info *info)
{
	int sig = info->signo;
	uint64_t bit = SIGNALS_BIT(sig);
	bool is_of_process = task < 0;

	/* A stop takes pending continues away, and the other way round. */
	if (sig == SIGCONT)
		signals_discard(STOPS);
	else if (bit & STOPS)
		signals_discard(SIGNALS_BIT(SIGCONT));
	if (is_dropped(task, sig))
		return 0;
	if (sig < FIRST_QUEUED &&
	    (is_of_process ? is_pending_for_process(sig)
			   : is_pending_for_task(task, sig)))
		return 0;
	if (is_refused(info))
		return -EAGAIN;
	if (signals_is_stop(sig) && can_stop(task, bit)) {
		signals_stop();
		return 0;
	}
	if (is_of_process)
		task = find_receiver(bit, -1);
	if (!append(task, is_of_process, info))
		return -EAGAIN;
	set_pending(task, bit, true);
	signals_nr_posted++;
	tell(task, bit);
	return 0;
}

/* What was sent to the task itself ends with it: its id may be given again. */
static void forget_task(uint32_t t)
{
	uint32_t before = NO_ENTRY, next;

	for (uint32_t e = oldest; e != NO_ENTRY; e = next) {
		next = queue[e].next;
		if (queue[e].task == (int)t)
			take_out(e, before);
		else
			before = e;
	}
	core_task(t)->sigpending = 0;
}

/* What was given to this task and is not for it any more goes to another. */
void signals_retarget(uint32_t t, uint64_t set)
{
	struct scheduler *s = runtime_scheduler();
	bool is_alive = s->task[t].state == SCHED_TASK_ALIVE;

	if (!(core_task(t)->sigpending & set))
		return;
	for (uint32_t e = oldest; e != NO_ENTRY; e = queue[e].next) {
		int sig = queue[e].info.signo;
		uint64_t bit = SIGNALS_BIT(sig);

		if (queue[e].task != (int)t || !queue[e].is_of_process ||
		    !(bit & set) || (is_alive && takes(t, bit)))
			continue;
		queue[e].task = find_receiver(bit, (int)t);
		if (!is_queued((int)t, sig))
			set_pending((int)t, bit, false);
		set_pending(queue[e].task, bit, true);
		tell(queue[e].task, bit);
	}
	if (!is_alive)
		forget_task(t);
}

/* Also what was given to another task that has not taken it yet. */
uint64_t signals_pending_for(uint32_t t)
{
	uint64_t set = core_task(t)->sigpending | signals_pending;

	for (uint32_t e = oldest; e != NO_ENTRY; e = queue[e].next)
		if (queue[e].is_of_process)
			set |= SIGNALS_BIT(queue[e].info.signo);
	return set;
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

/* ------------------------------------------------------ telling of it */

/* All of the process, until somebody outside lets it go on. */
void signals_stop(void)
{
	sys_call2(__NR_kill, sys_call0(__NR_getpid), SIGSTOP);
	signals_collect();	/* the SIGCONT */
}

static void disturb(struct scheduler *s, uint32_t t, bool did_wait)
{
	struct sched_task *task = &s->task[t];
	struct sched_announce a = {
		.kind = EXPLORE_OP_SIGNAL_DELIVER,
		.object = runtime_object(SCHED_CLASS_SIGNAL,
					 (void *)(uintptr_t)t, task->pc),
		.site = task->op.site,
		.pc = task->pc,
	};
	bool handles = task->flags & SCHED_TASK_HANDLES;

	scheduler_announce(s, t, &a);
	if (did_wait)
		task->flags |= SCHED_TASK_INTERRUPTED;
	/* A system call returns; a wait of an interposed function goes on. */
	if (!handles)
		scheduler_unwait(s, t, SCHED_WAKE_INTERRUPTED);
}

void signals_tell_all(void)
{
	struct scheduler *s = runtime_scheduler();

	signals_have_news = false;
	for (uint32_t i = 0; i < s->nr_live; i++) {
		uint32_t t = s->live[i];
		struct sched_task *task = &s->task[t];
		bool waits = scheduler_is_waiting(s, t);

		if (task->op.kind == EXPLORE_OP_SIGNAL_DELIVER ||
		    !signals_would_interrupt(t))
			continue;
		if (task->flags & SCHED_TASK_HANDLES || waits)
			disturb(s, t, waits);
		else
			/* It may have to wait yet */
			signals_have_news = true;
	}
}

/* -------------------------------------------------------------- taking */

/*
 * The kernel's order: those sent to the thread first; of these the lowest
 * number; of one number the oldest.
 */
static bool is_before(const struct entry *a, const struct entry *b)
{
	if (a->is_of_process != b->is_of_process)
		return !a->is_of_process;
	return a->info.signo < b->info.signo;
}

static bool find(uint32_t t, uint64_t set, uint32_t *found, uint32_t *before)
{
	uint32_t previous = NO_ENTRY;

	*found = NO_ENTRY;
	for (uint32_t e = oldest; e != NO_ENTRY; e = queue[e].next) {
		if ((queue[e].task == (int)t || queue[e].task < 0) &&
		    SIGNALS_BIT(queue[e].info.signo) & set &&
		    (*found == NO_ENTRY ||
		     is_before(&queue[e], &queue[*found]))) {
			*found = e;
			*before = previous;
		}
		previous = e;
	}
	return *found != NO_ENTRY;
}

int signals_take(uint64_t set, struct signals_info *info)
{
	uint32_t t = runtime_self(), e, before = NO_ENTRY;
	int task;

	if (!signals_has(t, set) || !find(t, set, &e, &before))
		return 0;
	task = queue[e].task;
	take_out(e, before);
	*info = queue[e].info;
	timers_taken(info);
	if (!is_queued(task, info->signo))
		set_pending(task, SIGNALS_BIT(info->signo), false);
	/* What the sender did happens before what the taker does. */
	order_take_signal();
	return info->signo;
}

/* ---------------------------------------------------- from outside */

void signals_note_arrival(const struct signals_info *info)
{
	uint32_t at = nr_arrived;

	if (at - nr_taken_in >= ARRIVALS_MAX)
		return;
	arrivals[at % ARRIVALS_MAX] = *info;
	__atomic_store_n(&nr_arrived, at + 1, __ATOMIC_SEQ_CST);
	__atomic_or_fetch(&signals_arrived, SIGNALS_BIT(info->signo),
			  __ATOMIC_SEQ_CST);
}

/* A signal that the kernel sent because of what the current task did. */
static bool is_own(const struct signals_info *info)
{
	return SIGNALS_BIT(info->signo) & OF_CALLS && info->code <= 0 &&
	       info->pid == (int32_t)ids_process;
}

static bool is_unwanted(const struct signals_info *info)
{
	/* Children that stop or continue, and nobody wants to know. */
	return info->signo == SIGCHLD && info->code >= SIGNALS_CHILD_STOPPED &&
	       signals_action[SIGCHLD].flags & SA_NOCLDSTOP;
}

void signals_take_in(void)
{
	__atomic_store_n(&signals_arrived, 0, __ATOMIC_SEQ_CST);
	while (nr_taken_in != nr_arrived) {
		struct signals_info info = arrivals[nr_taken_in % ARRIVALS_MAX];

		__atomic_store_n(&nr_taken_in, nr_taken_in + 1,
				 __ATOMIC_SEQ_CST);
		if (is_own(&info))
			signals_post((int)runtime_self(), &info);
		else if (!is_unwanted(&info))
			signals_post(-1, &info);
	}
}

void signals_take_in_own(void)
{
	if (signals_arrived & OF_CALLS)
		signals_take_in();
}

void signals_start_run(void)
{
	oldest = youngest = first_free = NO_ENTRY;
	nr_entries = nr_touched = 0;
	signals_pending = 0;
	signals_have_news = false;
	signals_arrived = 0;
	nr_taken_in = nr_arrived;
	signals_forget_assert();
	core_task(0)->sigmask = signals_initial_mask;
}
