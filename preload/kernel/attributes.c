/* SPDX-License-Identifier: MIT */
/*
 * attributes.c - scheduling attributes of tasks.
 *
 * They change nothing about who runs next, but programs read back what they
 * set, and for one thread it differs from what is set for another. Whether a
 * change is allowed, the kernel says where it knows more than its manual: the
 * carrier tries it, and goes back, which needs no privilege where the change
 * did.
 */
#include <linux/errno.h>
#include <linux/ioprio.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/types.h>

#include "preload/kernel/attributes.h"
#include "preload/core/core.h"
#include "preload/kernel/ids.h"
#include "preload/kernel/traps.h"

#define MIN_NICE (-20)
#define MAX_NICE 19
#define MAX_RT_PRIORITY 99
#define ROUND_ROBIN_NS 100000000u	/* the kernel's RR_TIMESLICE */

struct attributes {
	uint64_t processors;
	uint64_t slack_ns, default_slack_ns;
	uint64_t death_signal;
	int32_t nice;
	uint32_t policy, priority;
	uint32_t resets;	/* SCHED_RESET_ON_FORK */
	uint32_t io;
	bool has_io;		/* else it is the carrier's */
	bool no_new_privileges;	/* the carrier's is the guard's */
};

static struct attributes of_task[SCHED_MAX_TASKS];
static struct attributes initial;
/* Processors; the region is not to be trusted */
static uint64_t allowed;

/* ---------------------------------------------------------- life cycle */

/* As the call itself has it, no bias of a C library's. */
static int32_t carrier_nice(void)
{
	int64_t r = sys_call2(__NR_getpriority, PRIO_PROCESS, 0);

	return r > 0 ? 20 - (int32_t)r : 0;
}

void attributes_init(void)
{
	uint32_t priority = 0;
	int64_t policy = sys_call1(__NR_sched_getscheduler, 0);
	int64_t slack = sys_call1(__NR_prctl, PR_GET_TIMERSLACK);

	if (policy < 0)
		policy = SCHED_NORMAL;
	sys_call2(__NR_sched_getparam, 0, &priority);
	initial.processors = THREADS_PROCESSORS;
	allowed = runtime_control->processors;
	initial.slack_ns = slack > 0 ? (uint64_t)slack : 50000;
	initial.default_slack_ns = initial.slack_ns;
	initial.nice = carrier_nice();
	initial.policy = (uint32_t)policy & ~(uint32_t)SCHED_RESET_ON_FORK;
	initial.resets = (uint32_t)policy & SCHED_RESET_ON_FORK;
	initial.priority = priority;
}

void attributes_start_run(void)
{
	of_task[0] = initial;
}

static bool is_real_time(uint32_t policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static void make_child(struct attributes *a)
{
	a->default_slack_ns = a->slack_ns;
	a->death_signal = 0;
	if (!a->resets)
		return;
	if (is_real_time(a->policy)) {
		a->policy = SCHED_NORMAL;
		a->priority = 0;
		a->nice = 0;
	}
	if (a->nice < 0)
		a->nice = 0;
	a->resets = 0;
}

void attributes_inherit(uint32_t parent, uint32_t child)
{
	of_task[child] = of_task[parent];
	make_child(&of_task[child]);
}

static void set_carrier_policy(const struct attributes *a)
{
	uint32_t priority = a->priority;

	sys_call3(__NR_sched_setscheduler, 0, a->policy, &priority);
}

/*
 * What the task was told, as far as there are such processors and the user lets
 * us have them. The tool pins the carrier to one.
 */
static void set_carrier_processors(uint64_t told)
{
	uint64_t mask = told & allowed ? told & allowed : allowed;

	if (mask)
		sys_call3(__NR_sched_setaffinity, 0, sizeof(mask), &mask);
}

void attributes_set_native(uint32_t task)
{
	struct attributes a = of_task[task];

	make_child(&a);
	if (a.nice != initial.nice)
		sys_call3(__NR_setpriority, PRIO_PROCESS, 0, a.nice);
	if (a.policy != initial.policy || a.priority != initial.priority)
		set_carrier_policy(&a);
	if (a.slack_ns != initial.slack_ns)
		sys_call2(__NR_prctl, PR_SET_TIMERSLACK, a.slack_ns);
	if (a.has_io)
		sys_call3(__NR_ioprio_set, IOPRIO_WHO_PROCESS, 0, a.io);
	set_carrier_processors(a.processors);
}

/* ------------------------------------------------------------ whose it is */

/* Null for another process. */
static struct attributes *find(uint64_t id)
{
	int task = (int32_t)id ? threads_by_tid((uint32_t)id)
			       : (int)runtime_self();

	return task < 0 ? NULL : &of_task[task];
}

/* ------------------------------------------------------------ processors */

static int64_t set_processors(struct attributes *a, const struct trap *t)
{
	uint64_t mask = 0, bytes = (uint32_t)t->arg[1];

	if (!sys_copy_in(&mask, t->arg[2], bytes < 8 ? bytes : 8))
		return -EFAULT;
	if (!(mask & THREADS_PROCESSORS))
		return -EINVAL;
	a->processors = mask & THREADS_PROCESSORS;
	return 0;
}

/* The carrier's is of one processor, to which the tool pins it. */
int64_t attributes_affinity(struct trap *t)
{
	struct attributes *a = find(t->arg[0]);
	uint64_t bytes = t->arg[1] & ~7ull;
	uint8_t mask[128];

	if (!a)
		return trap_pass(t);
	if (t->nr == __NR_sched_setaffinity)
		return set_processors(a, t);
	if (t->arg[1] < sizeof(a->processors) || t->arg[1] & 7)
		return -EINVAL;
	if (bytes > sizeof(mask))
		bytes = sizeof(mask);
	memset(mask, 0, sizeof(mask));
	memcpy(mask, &a->processors, sizeof(a->processors));
	return sys_copy_out(t->arg[2], mask, bytes) ? (int64_t)bytes : -EFAULT;
}

/* The first one on which the task may run. */
int64_t attributes_getcpu(struct trap *t)
{
	uint64_t mask = of_task[runtime_self()].processors;
	uint32_t cpu = mask ? (uint32_t)__builtin_ctzll(mask) : 0;

	if ((t->arg[0] &&
	     !sys_store32((void *)(uintptr_t)t->arg[0], cpu)) ||
	    (t->arg[1] && !sys_store32((void *)(uintptr_t)t->arg[1], 0)))
		return -EFAULT;
	return 0;
}

/* ------------------------------------------------------------------ nice */

/* A limit of N allows a nice value of 20 - N. */
static bool limit_allows(int32_t nice)
{
	struct rlimit64 limit = { 0, 0 };

	sys_call4(__NR_prlimit64, 0, RLIMIT_NICE, 0, &limit);
	return limit.rlim_cur >= (uint64_t)(20 - nice);
}

static bool is_privileged(void)
{
	bool is;

	if (initial.nice == MIN_NICE)
		return true;
	is = !sys_call3(__NR_setpriority, PRIO_PROCESS, 0, initial.nice - 1);
	if (is)
		sys_call3(__NR_setpriority, PRIO_PROCESS, 0, initial.nice);
	return is;
}

static int64_t set_nice(struct attributes *a, int32_t nice)
{
	if (nice < MIN_NICE)
		nice = MIN_NICE;
	if (nice > MAX_NICE)
		nice = MAX_NICE;
	if (nice < a->nice && !limit_allows(nice) && !is_privileged())
		return -EACCES;
	a->nice = nice;
	return 0;
}

int64_t attributes_priority(struct trap *t)
{
	struct attributes *a = (int32_t)t->arg[0] == PRIO_PROCESS
				       ? find(t->arg[1]) : NULL;

	if (!a)
		return trap_pass(t);
	if (t->nr == __NR_getpriority)
		return 20 - a->nice;
	return set_nice(a, (int32_t)t->arg[2]);
}

/* The kernel checks it; the carrier's own says nothing of a task's. */
int64_t attributes_io(struct trap *t)
{
	struct attributes *a = (int32_t)t->arg[0] == IOPRIO_WHO_PROCESS
				       ? find(t->arg[1]) : NULL;
	int64_t r;

	if (!a)
		return trap_pass(t);
	if (t->nr == __NR_ioprio_get)
		return a->has_io ? a->io
				 : sys_call2(t->nr, IOPRIO_WHO_PROCESS, 0);
	r = sys_call3(t->nr, IOPRIO_WHO_PROCESS, 0, t->arg[2]);
	if (r)
		return r;
	sys_call3(t->nr, IOPRIO_WHO_PROCESS, 0, 0);
	a->io = (uint32_t)t->arg[2];
	a->has_io = true;
	return 0;
}

/* ---------------------------------------------------------------- policy */

static int64_t check_policy(uint32_t policy, uint32_t priority)
{
	int64_t r;

	switch (policy) {
	case SCHED_NORMAL:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return priority ? -EINVAL : 0;
	case SCHED_FIFO:
	case SCHED_RR:
		if (!priority || priority > MAX_RT_PRIORITY)
			return -EINVAL;
		r = sys_call3(__NR_sched_setscheduler, 0, policy, &priority);
		if (!r)
			set_carrier_policy(&initial);
		return r;
	default:
		return -EINVAL;
	}
}

static int64_t set_policy(struct attributes *a, uint32_t policy,
			  uint32_t priority, uint32_t resets)
{
	bool is_lower = a->policy == policy && is_real_time(policy) &&
			priority <= a->priority;
	int64_t r = is_lower && priority ? 0 : check_policy(policy, priority);

	if (!r && a->resets && !resets && !is_privileged())
		r = -EPERM;
	if (r)
		return r;
	a->policy = policy;
	a->priority = priority;
	a->resets = resets;
	return 0;
}

static int64_t set_scheduler(struct attributes *a, const struct trap *t)
{
	bool is_param = t->nr == __NR_sched_setparam;
	uint32_t policy = is_param ? a->policy | a->resets
				   : (uint32_t)t->arg[1];
	uint64_t from = is_param ? t->arg[1] : t->arg[2];
	uint32_t priority;

	if (!from || (int32_t)policy < 0)
		return -EINVAL;
	if (!sys_load32((void *)(uintptr_t)from, &priority))
		return -EFAULT;
	return set_policy(a, policy & ~(uint32_t)SCHED_RESET_ON_FORK, priority,
			  policy & SCHED_RESET_ON_FORK);
}

static int64_t get_interval(const struct attributes *a, struct trap *t)
{
	uint64_t interval[2] = { 0, 0 };

	if (!is_real_time(a->policy)) {
		t->arg[0] = 0;
		return trap_pass(t);
	}
	if (a->policy == SCHED_RR)
		interval[1] = ROUND_ROBIN_NS;
	return sys_copy_out(t->arg[1], interval, sizeof(interval)) ? 0
								 : -EFAULT;
}

static int64_t get_attr(const struct attributes *a, const struct trap *t)
{
	struct sched_attr attr;
	int64_t r;

	if (!t->arg[1] || (uint32_t)t->arg[2] < SCHED_ATTR_SIZE_VER0 ||
	    t->arg[3])
		return -EINVAL;
	r = sys_call4(__NR_sched_getattr, 0, &attr, sizeof(attr), 0);
	if (r)
		return r;
	attr.sched_policy = a->policy;
	attr.sched_flags &= ~(uint64_t)SCHED_FLAG_RESET_ON_FORK;
	if (a->resets)
		attr.sched_flags |= SCHED_FLAG_RESET_ON_FORK;
	attr.sched_nice = is_real_time(a->policy) ? 0 : a->nice;
	attr.sched_priority = a->priority;
	if (attr.size > (uint32_t)t->arg[2])
		attr.size = (uint32_t)t->arg[2];
	return sys_copy_out(t->arg[1], &attr, attr.size) ? 0 : -EFAULT;
}

/* Deadlines and the rest are asked of the kernel, for all tasks at once. */
static int64_t set_attr(struct attributes *a, struct trap *t)
{
	struct sched_attr attr;
	bool is_fair;
	int64_t r;

	if (!t->arg[1] || t->arg[2])
		return -EINVAL;
	if (!sys_copy_in(&attr, t->arg[1], SCHED_ATTR_SIZE_VER0))
		return -EFAULT;
	if (attr.sched_policy == SCHED_DEADLINE ||
	    attr.sched_flags & ~(uint64_t)SCHED_FLAG_RESET_ON_FORK ||
	    attr.size < SCHED_ATTR_SIZE_VER0 ||
	    attr.size > sizeof(attr)) {
		t->arg[0] = 0;
		return trap_pass(t);
	}
	is_fair = attr.sched_policy == SCHED_NORMAL ||
		  attr.sched_policy == SCHED_BATCH;
	r = is_fair ? set_nice(a, attr.sched_nice) : 0;
	if (r)
		return r == -EACCES ? -EPERM : r;
	return set_policy(a, attr.sched_policy, attr.sched_priority,
			  attr.sched_flags ? SCHED_RESET_ON_FORK : 0);
}

int64_t attributes_scheduler(struct trap *t)
{
	struct attributes *a = (int32_t)t->arg[0] < 0 ? NULL
						      : find(t->arg[0]);

	if (!a)
		return trap_pass(t);
	switch (t->nr) {
	case __NR_sched_getscheduler:
		return a->policy | a->resets;
	case __NR_sched_getparam:
		if (!t->arg[1])
			return -EINVAL;
		return sys_store32((void *)(uintptr_t)t->arg[1], a->priority)
			       ? 0 : -EFAULT;
	case __NR_sched_rr_get_interval:
		return get_interval(a, t);
	case __NR_sched_getattr:
		return get_attr(a, t);
	case __NR_sched_setattr:
		return set_attr(a, t);
	default:
		return set_scheduler(a, t);
	}
}

/* ----------------------------------------------------------------- prctl */

int64_t attributes_prctl(struct trap *t)
{
	struct attributes *a = &of_task[runtime_self()];

	switch ((uint32_t)t->arg[0]) {
	case PR_SET_TIMERSLACK:
		a->slack_ns = (int64_t)t->arg[1] > 0 ? t->arg[1]
						     : a->default_slack_ns;
		return 0;
	case PR_GET_TIMERSLACK:
		return (int64_t)a->slack_ns;
	case PR_SET_PDEATHSIG:	/* the parent is the zygote */
		if (t->arg[1] > 64)
			return -EINVAL;
		a->death_signal = t->arg[1];
		return 0;
	case PR_SET_NO_NEW_PRIVS:
		if (t->arg[1] != 1 || t->arg[2] || t->arg[3] || t->arg[4])
			return -EINVAL;
		a->no_new_privileges = true;
		return trap_pass(t);
	case PR_GET_NO_NEW_PRIVS:
		if (t->arg[1] || t->arg[2] || t->arg[3] || t->arg[4])
			return -EINVAL;
		return a->no_new_privileges;
	default:
		return sys_store32((void *)(uintptr_t)t->arg[1],
				   (uint32_t)a->death_signal) ? 0 : -EFAULT;
	}
}
