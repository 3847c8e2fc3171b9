/* SPDX-License-Identifier: MIT */
/*
 * futex.c - futex(2) among tasks.
 *
 * Queues are those of the model; the compare is done on the target's memory at
 * the moment the operation is carried out, when nobody else runs, so it is
 * atomic by construction. See futex(2) and, for PI, Documentation/locking.
 */
#include <linux/errno.h>
#include <linux/futex.h>

#include "preload/memory/access.h"
#include "preload/kernel/files.h"
#include "scheduler/objects.h"

struct timespec64 {
	int64_t sec, nsec;
};

static volatile uint32_t *word_at(uint64_t addr)
{
	return (volatile uint32_t *)(uintptr_t)addr;
}

/* What get_futex_key() of the kernel says of an address it does not read. */
static int64_t check_word(const struct trap *t, uint64_t addr)
{
	uint32_t value;

	if (addr & 3)
		return -EINVAL;
	if (addr >> 47 || (!(t->arg[1] & FUTEX_PRIVATE_FLAG) &&
			   !sys_load32(word_at(addr), &value)))
		return -EFAULT;
	return 0;
}

static uint32_t object_at(const struct trap *t, uint64_t addr)
{
	return runtime_object(SCHED_CLASS_FUTEX, (void *)(uintptr_t)addr,
			      t->site);
}

/* *deadline = 0 without a timeout. Returns 0 or -errno. */
static int64_t read_deadline(const struct trap *t, int cmd, uint64_t *deadline)
{
	struct timespec64 in, *ts = t->arg[3] ? &in : NULL;
	bool real = t->arg[1] & FUTEX_CLOCK_REALTIME ||
		    cmd == FUTEX_LOCK_PI;
	uint64_t ns;

	*deadline = 0;
	if (!ts)
		return 0;
	if (!sys_copy_in(ts, t->arg[3], sizeof(*ts)))
		return -EFAULT;
	if (ts->sec < 0 || ts->nsec < 0 || ts->nsec >= 1000000000)
		return -EINVAL;
	if (cmd != FUTEX_WAIT) {
		*deadline =
			runtime_deadline_ns(real ? 0 : 1, ts->sec, ts->nsec);
		return 0;
	}
	ns = runtime_scheduler()->now_ns + (uint64_t)ts->nsec;
	*deadline = (uint64_t)ts->sec > 1000000000ull
			    ? SCHED_NEVER - 1
			    : ns + (uint64_t)ts->sec * 1000000000ull;
	return 0;
}

/* A lock call that waits for its own caller; see struct runtime_relock. */
static void check_relock(void)
{
	/* A normal PI mutex waits on a word of its own: any wait will do. */
	if (runtime_relock.bytes)
		runtime_end(CONTROL_VERDICT_SELF_DEADLOCK, 0,
			    runtime_relock.object, runtime_relock.pc,
			    "lock of a mutex that the same thread holds");
}

static bool is_shared_with_others(const struct trap *t)
{
	return !(t->arg[1] & FUTEX_PRIVATE_FLAG) &&
	       (runtime_control->counters.shared_maps ||
		runtime_control->counters.forks);
}

/* Somebody outside may wake us: look at the word, and let time pass. */
static void resume_shared(const struct trap *t, const struct runtime_op *op)
{
	uint32_t self = runtime_self();

	files_watch_word(self, t->arg[0], (uint32_t)t->arg[2]);
	core_announce(op);
	runtime_self_task()->flags |= SCHED_TASK_EXTERNAL;
	core_enter();
	files_unwatch_word(self);
	if (order_is_on)
		order_apply(op, false);
}

static int64_t do_wait(struct trap *t, int cmd, uint32_t mask)
{
	struct scheduler *s = runtime_scheduler();
	struct runtime_op op = { .kind = EXPLORE_OP_FUTEX_WAIT, .pc = t->site };
	struct sched_task *self;
	uint64_t deadline;
	uint32_t value;
	int64_t r = read_deadline(t, cmd, &deadline);

	if (r)
		return r;
	if (!mask)
		return -EINVAL;
	if (t->arg[0] & 3)
		return -EINVAL;
	check_relock();
	op.object = object_at(t, t->arg[0]);
	core_point(&op);
	self = runtime_self_task();
	if (!sys_load32(word_at(t->arg[0]), &value))
		return -EFAULT;
	if (value != (uint32_t)t->arg[2])
		return -EAGAIN;
	scheduler_wait(s, op.object, s->current, mask);
	op.kind = EXPLORE_OP_FUTEX_RESUME;
	op.deadline_ns = deadline;
	if (is_shared_with_others(t))
		resume_shared(t, &op);
	else
		core_point(&op);
	if (self->flags & SCHED_TASK_INTERRUPTED) {
		self->flags &= (uint16_t)~SCHED_TASK_INTERRUPTED;
		return deadline ? TRAP_TIMED_EINTR : -EINTR;
	}
	return self->wake == SCHED_WAKE_TIMEOUT ? -ETIMEDOUT : 0;
}

static int64_t do_wake(struct trap *t, uint32_t max, uint32_t mask)
{
	struct runtime_op op = { .kind = EXPLORE_OP_FUTEX_WAKE, .pc = t->site };
	int64_t woken = check_word(t, t->arg[0]);

	if (!mask)
		return -EINVAL;
	if (woken)
		return woken;
	op.object = object_at(t, t->arg[0]);
	core_point(&op);
	woken = runtime_wake(op.object, max, mask);
	if (is_shared_with_others(t) && woken < (int64_t)max) {
		int64_t more =
			sys_call6(__NR_futex, t->arg[0], FUTEX_WAKE_BITSET,
				  max - (uint32_t)woken, 0, 0, mask);

		woken += more > 0 ? more : 0;
	}
	return woken;
}

void futex_wake_address(uint64_t addr, uint32_t max)
{
	uint32_t id = scheduler_object_find(runtime_scheduler(),
					    SCHED_CLASS_FUTEX, addr);

	if (!id)
		return;
	runtime_release_order(id);
	runtime_wake(id, max, ~0u);
}

static int64_t do_requeue(struct trap *t, bool compare)
{
	struct runtime_op op = { .kind = EXPLORE_OP_FUTEX_REQUEUE,
				 .pc = t->site };
	uint32_t value, woken;
	int64_t r = check_word(t, t->arg[0]);

	if (!r)
		r = check_word(t, t->arg[4]);
	if (r)
		return r;
	op.object = object_at(t, t->arg[0]);
	op.object2 = object_at(t, t->arg[4]);
	core_point(&op);
	if (compare) {
		if (!sys_load32(word_at(t->arg[0]), &value))
			return -EFAULT;
		if (value != (uint32_t)t->arg[5])
			return -EAGAIN;
	}
	woken = runtime_wake(op.object, (uint32_t)t->arg[2], ~0u);
	return woken + scheduler_requeue(runtime_scheduler(), op.object,
					 op.object2, (uint32_t)t->arg[3]);
}

static bool compares(uint32_t how, uint32_t old, uint32_t with)
{
	switch (how) {
	case FUTEX_OP_CMP_EQ:
		return old == with;
	case FUTEX_OP_CMP_NE:
		return old != with;
	case FUTEX_OP_CMP_LT:
		return (int32_t)old < (int32_t)with;
	case FUTEX_OP_CMP_LE:
		return (int32_t)old <= (int32_t)with;
	case FUTEX_OP_CMP_GT:
		return (int32_t)old > (int32_t)with;
	default:
		return (int32_t)old >= (int32_t)with;
	}
}

static uint32_t applied(uint32_t how, uint32_t old, uint32_t arg)
{
	switch (how) {
	case FUTEX_OP_SET:
		return arg;
	case FUTEX_OP_ADD:
		return old + arg;
	case FUTEX_OP_OR:
		return old | arg;
	case FUTEX_OP_ANDN:
		return old & ~arg;
	default:
		return old ^ arg;
	}
}

static int64_t do_wake_op(struct trap *t)
{
	struct runtime_op op = { .kind = EXPLORE_OP_FUTEX_WAKE, .pc = t->site };
	uint32_t code = (uint32_t)t->arg[5], old, arg, woken;
	int64_t r = check_word(t, t->arg[0]);

	if (!r)
		r = check_word(t, t->arg[4]);
	if (r)
		return r;
	op.object = object_at(t, t->arg[0]);
	op.object2 = object_at(t, t->arg[4]);
	core_point(&op);
	if (!sys_load32(word_at(t->arg[4]), &old) ||
	    !sys_store32(word_at(t->arg[4]), old))
		return -EFAULT;
	arg = code >> 12 & 0xfff;
	if (code & (uint32_t)FUTEX_OP_OPARG_SHIFT << 28)
		arg = 1u << (arg & 31);
	sys_store32(word_at(t->arg[4]), applied(code >> 28 & 7, old, arg));
	woken = runtime_wake(op.object, (uint32_t)t->arg[2], ~0u);
	if (compares(code >> 24 & 0xf, old, code & 0xfff))
		woken += runtime_wake(op.object2, (uint32_t)t->arg[3], ~0u);
	return woken;
}

/* ------------------------------------------------ priority inheritance */

/*
 * With one carrier there are no priorities to inherit; what is left is a lock
 * whose word holds the owner's tid and that is handed to the first waiter.
 */
static int64_t do_lock_pi(struct trap *t, int cmd)
{
	struct scheduler *s = runtime_scheduler();
	struct runtime_op op = { .kind = EXPLORE_OP_FUTEX_LOCK_PI,
				 .pc = t->site };
	uint32_t tid = core_self()->tid, value, self = s->current;
	struct sched_object *o;
	int64_t r =
		read_deadline(t, cmd == FUTEX_TRYLOCK_PI ? FUTEX_LOCK_PI : cmd,
			      &op.deadline_ns);

	if (r)
		return r;
	if (cmd == FUTEX_TRYLOCK_PI)
		op.deadline_ns = 1;
	if (t->arg[0] & 3)
		return -EINVAL;
	op.object = object_at(t, t->arg[0]);
	o = scheduler_object(s, op.object);
	/* Written to as well, one way or the other. */
	if (!sys_load32(word_at(t->arg[0]), &value) ||
	    !sys_store32(word_at(t->arg[0]), value))
		return -EFAULT;
	if (!(value & FUTEX_TID_MASK)) {
		o->owner = 0;
	} else {
		int owner = threads_by_tid(value & FUTEX_TID_MASK);

		if (owner == (int)self)
			return -EDEADLK;
		if (owner < 0)
			return -ESRCH;
		o->owner = (uint32_t)owner + 1;
		sys_store32(word_at(t->arg[0]), value | FUTEX_WAITERS);
		if (cmd != FUTEX_TRYLOCK_PI)
			scheduler_wait(s, op.object, self, ~0u);
	}
	core_point(&op);
	if (!sys_load32(word_at(t->arg[0]), &value))
		return -EFAULT;
	if ((value & FUTEX_TID_MASK) == tid)
		return 0;	/* handed over */
	scheduler_unwait(s, self, SCHED_WAKE_TIMEOUT);
	if (value & FUTEX_TID_MASK)
		return cmd == FUTEX_TRYLOCK_PI ? -EAGAIN : -ETIMEDOUT;
	sys_store32(word_at(t->arg[0]), tid | (value & ~FUTEX_TID_MASK));
	o->owner = self + 1;
	return 0;
}

static int64_t do_unlock_pi(struct trap *t)
{
	struct scheduler *s = runtime_scheduler();
	struct runtime_op op = { .kind = EXPLORE_OP_FUTEX_UNLOCK_PI,
				 .pc = t->site };
	struct sched_object *o;
	uint32_t value, next;

	op.object = object_at(t, t->arg[0]);
	core_point(&op);
	o = scheduler_object(s, op.object);
	if (!sys_load32(word_at(t->arg[0]), &value))
		return -EFAULT;
	if (threads_by_tid(value & FUTEX_TID_MASK) != (int)s->current)
		return -EPERM;
	next = o->wait_head;
	o->owner = 0;
	if (!next) {
		sys_store32(word_at(t->arg[0]), 0);
		return 0;
	}
	scheduler_unwait(s, next - 1, SCHED_WAKE_WOKEN);
	o->owner = next;
	sys_store32(word_at(t->arg[0]), core_task(next - 1)->tid |
		    (o->nr_waiters ? FUTEX_WAITERS : 0));
	return 0;
}

int64_t futex_trap(struct trap *t)
{
	int cmd = (int)t->arg[1] & FUTEX_CMD_MASK;

	switch (cmd) {
	case FUTEX_WAIT:
		return do_wait(t, cmd, ~0u);
	case FUTEX_WAIT_BITSET:
		return do_wait(t, cmd, (uint32_t)t->arg[5]);
	case FUTEX_WAKE:
		return do_wake(t, (uint32_t)t->arg[2], ~0u);
	case FUTEX_WAKE_BITSET:
		return do_wake(t, (uint32_t)t->arg[2], (uint32_t)t->arg[5]);
	case FUTEX_REQUEUE:
		return do_requeue(t, false);
	case FUTEX_CMP_REQUEUE:
		return do_requeue(t, true);
	case FUTEX_WAKE_OP:
		return do_wake_op(t);
	case FUTEX_LOCK_PI:
	case 13 /* FUTEX_LOCK_PI2, since Linux 5.14 */:
	case FUTEX_TRYLOCK_PI:
		return do_lock_pi(t, cmd);
	case FUTEX_UNLOCK_PI:
		return do_unlock_pi(t);
	default:
		return -ENOSYS;
	}
}

int64_t futex_waitv(struct trap *t)
{
	(void)t;
	return -ENOSYS;	/* callers fall back to futex(2) */
}
