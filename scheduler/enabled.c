/* SPDX-License-Identifier: MIT */
/*
 * enabled.c - what the kinds of operation need in order to run.
 */
#include "scheduler/internal.h"

#define W EXPLORE_OP_F_WRITES
#define Y EXPLORE_OP_F_YIELDS
#define B EXPLORE_OP_F_BLOCKING

/*
 * Kinds that are missing have no flags. A kind writes when it changes what its
 * object will do to others: joining the readers of a rwlock does not, for two
 * of them commute and the writer's side says the rest. SYSCALL, CHILD_WAIT and
 * SIGNAL_WAIT block or not from call to call, so the caller says.
 */
const uint16_t scheduler_kind_flags[EXPLORE_OP_NR] = {
	[EXPLORE_OP_THREAD_CREATE] = W,
	[EXPLORE_OP_THREAD_EXIT] = W,
	[EXPLORE_OP_THREAD_JOIN] = W | B,
	[EXPLORE_OP_THREAD_DETACH] = W,
	[EXPLORE_OP_THREAD_CANCEL] = W,
	[EXPLORE_OP_PROCESS_EXIT] = W,
	[EXPLORE_OP_MUTEX_INIT] = W,
	[EXPLORE_OP_MUTEX_DESTROY] = W,
	[EXPLORE_OP_MUTEX_LOCK] = W | B,
	[EXPLORE_OP_MUTEX_TRYLOCK] = W,
	[EXPLORE_OP_MUTEX_TIMEDLOCK] = W | B,
	[EXPLORE_OP_MUTEX_UNLOCK] = W,
	[EXPLORE_OP_RWLOCK_INIT] = W,
	[EXPLORE_OP_RWLOCK_DESTROY] = W,
	[EXPLORE_OP_RWLOCK_RDLOCK] = B,
	[EXPLORE_OP_RWLOCK_TRYRDLOCK] = 0,
	[EXPLORE_OP_RWLOCK_TIMEDRDLOCK] = B,
	[EXPLORE_OP_RWLOCK_WRLOCK] = W | B,
	[EXPLORE_OP_RWLOCK_TRYWRLOCK] = W,
	[EXPLORE_OP_RWLOCK_TIMEDWRLOCK] = W | B,
	[EXPLORE_OP_RWLOCK_UNLOCK] = W,
	[EXPLORE_OP_SPIN_INIT] = W,
	[EXPLORE_OP_SPIN_DESTROY] = W,
	[EXPLORE_OP_SPIN_LOCK] = W | B,
	[EXPLORE_OP_SPIN_TRYLOCK] = W,
	[EXPLORE_OP_SPIN_UNLOCK] = W,
	[EXPLORE_OP_COND_INIT] = W,
	[EXPLORE_OP_COND_DESTROY] = W,
	[EXPLORE_OP_COND_WAIT] = W,
	[EXPLORE_OP_COND_TIMEDWAIT] = W,
	[EXPLORE_OP_COND_WAKE] = W | B,
	[EXPLORE_OP_COND_SIGNAL] = W,
	[EXPLORE_OP_COND_BROADCAST] = W,
	[EXPLORE_OP_SEM_INIT] = W,
	[EXPLORE_OP_SEM_DESTROY] = W,
	[EXPLORE_OP_SEM_WAIT] = W | B,
	[EXPLORE_OP_SEM_TRYWAIT] = W,
	[EXPLORE_OP_SEM_TIMEDWAIT] = W | B,
	[EXPLORE_OP_SEM_POST] = W,
	[EXPLORE_OP_BARRIER_INIT] = W,
	[EXPLORE_OP_BARRIER_DESTROY] = W,
	[EXPLORE_OP_BARRIER_WAIT] = W,
	[EXPLORE_OP_BARRIER_LEAVE] = B,
	[EXPLORE_OP_ONCE] = W,
	[EXPLORE_OP_FUTEX_WAIT] = W,
	[EXPLORE_OP_FUTEX_RESUME] = B,
	[EXPLORE_OP_FUTEX_WAKE] = W,
	[EXPLORE_OP_FUTEX_REQUEUE] = W,
	[EXPLORE_OP_FUTEX_LOCK_PI] = W | B,
	[EXPLORE_OP_FUTEX_UNLOCK_PI] = W,
	[EXPLORE_OP_SIGNAL_SEND] = W,
	[EXPLORE_OP_SIGNAL_WAIT] = W,
	[EXPLORE_OP_SIGNAL_DELIVER] = W,
	[EXPLORE_OP_SYSCALL] = W,
	[EXPLORE_OP_CHILD_WAIT] = W,
	[EXPLORE_OP_FORK] = W,
	[EXPLORE_OP_EXEC] = W,
	[EXPLORE_OP_YIELD] = Y,
	[EXPLORE_OP_SLEEP] = Y | B,
	[EXPLORE_OP_SPIN] = Y,
	[EXPLORE_OP_MEMORY_WRITE] = W,
	[EXPLORE_OP_ATOMIC_WRITE] = W,
	[EXPLORE_OP_ATOMIC_RMW] = W,
};

#undef W
#undef Y
#undef B

/* 0 is no object: nothing to wait for. */
static const struct sched_object *object_of(const struct scheduler *s,
					    uint32_t id)
{
	return id ? &s->object[id - 1] : 0;
}

/*
 * Also true for a lock that t has already: whether that is recursion, an error
 * or a self-deadlock depends on the lock's type, which the runtime knows.
 */
static bool is_lockable(const struct scheduler *s, uint32_t id, uint32_t t)
{
	const struct sched_object *o = object_of(s, id);

	return !o || !o->owner || o->owner == t + 1 ||
	       (o->flags & SCHED_OBJECT_FOREIGN);
}

const struct sched_task *
scheduler__waiting_writer(const struct scheduler *s, uint32_t id)
{
	/* Nobody holds it: a writer that is announced does not wait. */
	if (!s->object[id - 1].count)
		return 0;
	for (uint32_t i = 0; i < s->nr_live; i++) {
		const struct sched_task *other = &s->task[s->live[i]];

		if (other->op.object == id &&
		    (other->op.kind == EXPLORE_OP_RWLOCK_WRLOCK ||
		     other->op.kind == EXPLORE_OP_RWLOCK_TIMEDWRLOCK))
			return other;
	}
	return 0;
}

static bool is_readable(const struct scheduler *s, uint32_t id, uint32_t t)
{
	const struct sched_object *o = object_of(s, id);

	if (!is_lockable(s, id, t))
		return false;
	return !o || !(o->flags & SCHED_OBJECT_PREFERS_WRITER) ||
	       (o->flags & SCHED_OBJECT_FOREIGN) ||
	       !scheduler__waiting_writer(s, id);
}

static bool is_writable(const struct scheduler *s, uint32_t id, uint32_t t)
{
	const struct sched_object *o = object_of(s, id);

	return is_lockable(s, id, t) &&
	       (!o || !o->count || (o->flags & SCHED_OBJECT_FOREIGN));
}

static bool is_joinable(const struct scheduler *s, uint32_t id)
{
	const struct sched_object *o = object_of(s, id);

	return !o || s->task[o->addr].state != SCHED_TASK_ALIVE;
}

static bool is_positive(const struct scheduler *s, uint32_t id)
{
	const struct sched_object *o = object_of(s, id);

	return !o || o->count;
}

static bool is_past_barrier(const struct scheduler *s,
			    const struct sched_task *t)
{
	const struct sched_object *o = object_of(s, t->op.object);

	return !o || o->generation != t->wait_generation;
}

static bool is_interrupted(const struct sched_task *t)
{
	return t->flags & SCHED_TASK_INTERRUPTED;
}

static enum sched_readiness by_deadline(const struct scheduler *s,
					const struct sched_task *t)
{
	return scheduler__has_come(s, t->deadline_ns) ? SCHED_ENABLED_TIMEOUT :
							SCHED_DISABLED;
}

/* However its wait ended, a waiter needs the mutex back to return. */
static enum sched_readiness cond_wake(const struct scheduler *s,
				      const struct sched_task *t)
{
	if (!is_lockable(s, t->op.object2, t->id))
		return SCHED_DISABLED;
	if (t->wake != SCHED_WAKE_NONE || is_interrupted(t))
		return SCHED_ENABLED;
	return by_deadline(s, t);
}

enum sched_readiness scheduler__blocking_readiness(const struct scheduler *s,
						   const struct sched_task *t)
{
	bool can_run;

	switch (t->op.kind) {
	case EXPLORE_OP_MUTEX_LOCK:
	case EXPLORE_OP_MUTEX_TIMEDLOCK:
	case EXPLORE_OP_SPIN_LOCK:
		can_run = is_lockable(s, t->op.object, t->id);
		break;
	case EXPLORE_OP_RWLOCK_RDLOCK:
	case EXPLORE_OP_RWLOCK_TIMEDRDLOCK:
		can_run = is_readable(s, t->op.object, t->id);
		break;
	case EXPLORE_OP_RWLOCK_WRLOCK:
	case EXPLORE_OP_RWLOCK_TIMEDWRLOCK:
		can_run = is_writable(s, t->op.object, t->id);
		break;
	case EXPLORE_OP_COND_WAKE:
		return cond_wake(s, t);
	case EXPLORE_OP_FUTEX_RESUME:
		can_run = t->wake != SCHED_WAKE_NONE || is_interrupted(t);
		break;
	case EXPLORE_OP_FUTEX_LOCK_PI:
		can_run = t->wake != SCHED_WAKE_NONE ||
			  is_lockable(s, t->op.object, t->id);
		break;
	case EXPLORE_OP_SEM_WAIT:
	case EXPLORE_OP_SEM_TIMEDWAIT:
		can_run = is_positive(s, t->op.object) || is_interrupted(t);
		break;
	case EXPLORE_OP_THREAD_JOIN:
		can_run = is_joinable(s, t->op.object) || is_interrupted(t);
		break;
	case EXPLORE_OP_BARRIER_LEAVE:
		can_run = is_past_barrier(s, t);
		break;
	case EXPLORE_OP_SLEEP:
		can_run = is_interrupted(t);
		break;
	case EXPLORE_OP_SYSCALL:
	case EXPLORE_OP_CHILD_WAIT:
	case EXPLORE_OP_SIGNAL_WAIT:
		can_run = (t->flags & SCHED_TASK_READY) || is_interrupted(t);
		break;
	default:
		can_run = true;
		break;
	}
	return can_run ? SCHED_ENABLED : by_deadline(s, t);
}

bool scheduler_is_enabled(const struct scheduler *s, uint32_t t)
{
	const struct sched_task *task = &s->task[t];

	return task->state == SCHED_TASK_ALIVE &&
	       scheduler__readiness(s, task) != SCHED_DISABLED;
}

bool scheduler_is_waiting(const struct scheduler *s, uint32_t t)
{
	const struct sched_task *task = &s->task[t];

	switch (scheduler__readiness(s, task)) {
	case SCHED_DISABLED:
		return true;
	case SCHED_ENABLED_TIMEOUT:
		return task->deadline_ns > s->now_ns;
	default:
		return false;
	}
}
