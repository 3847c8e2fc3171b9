/* SPDX-License-Identifier: MIT */
/*
 * internal.h - for the .c files of scheduler/ and their tests only.
 *
 *	scheduler.c	life cycle, tasks, the choice of who is next, the log
 *	enabled.c	what the kinds of operation need in order to run
 *	objects.c	the table of objects and what operations do to them
 *	fairness.c	keeping tasks that yield from starving the others
 *	cycle.c		tasks that wait for one another's locks
 *	valid.c		the invariants, checked
 *
 * Stamps. A task's fairness fields count scheduling points from 1, so that 0
 * can mean "never": the point whose event is log[i] has stamp i + 1.
 * enabled_since is the stamp of the first point of the current enabled stretch
 * and 0 exactly while the task is disabled (or was not looked at yet); this is
 * also how scheduler_next() remembers who was enabled last time.
 */
#ifndef SCHEDULER_INTERNAL_H
#define SCHEDULER_INTERNAL_H

#include "scheduler/scheduler.h"

/*
 * A bug of ours or the caller's, never a finding. Stays on in release; there
 * is nobody to print to from here, a trap shows in any debugger.
 */
#define SCHED_ASSERT(condition)                                                \
	do {                                                                   \
		if (__builtin_expect(!(condition), 0))                         \
			__builtin_trap();                                      \
	} while (0)

/*
 * Keeps compilers from turning a small copying loop into a call of memmove(),
 * which the runtime does not have (it has memcpy and memset).
 */
#define SCHED_NO_IDIOM() __asm__ volatile("" : : : "memory")

#define SCHED_MIN_BUCKETS 256u

/* After that many points of nothing but yields, sleepers get their turn. */
#define SCHED_STALE_STEPS 64u
/*
 * A SPIN is proved by a state that came back, but what its loop counts in
 * memory may escape the proof: let it count for a while.
 */
#define SCHED_SPIN_LIMIT 512u

/* What a starved task has for itself, and the next one twice that. */
#define SCHED_TURN_PICKS 64u
#define SCHED_TURN_MAX 4096u

/* Why a task could run. */
enum sched_readiness {
	SCHED_DISABLED = 0,
	SCHED_ENABLED = 1,
	SCHED_ENABLED_TIMEOUT = 2,	/* only because its deadline came */
};

/* ------------------------------------------------------------ enabled.c */

/* For an announced operation with EXPLORE_OP_F_BLOCKING; others always run. */
enum sched_readiness scheduler__blocking_readiness(const struct scheduler *s,
						   const struct sched_task *t);

static inline enum sched_readiness
scheduler__readiness(const struct scheduler *s, const struct sched_task *t)
{
	if (!(t->op.flags & EXPLORE_OP_F_BLOCKING))
		return SCHED_ENABLED;
	return scheduler__blocking_readiness(s, t);
}

/*
 * A live task that waits to write-lock the rwlock `id` while readers hold it,
 * or NULL.
 */
const struct sched_task *
scheduler__waiting_writer(const struct scheduler *s, uint32_t id);

static inline bool scheduler__has_come(const struct scheduler *s,
				       uint64_t deadline_ns)
{
	return deadline_ns != SCHED_NEVER &&
	       deadline_ns <= s->now_ns + s->config.slack_ns &&
	       deadline_ns < s->alarm_ns;
}

/* ----------------------------------------------------------- fairness.c */

/*
 * Take the tasks that must stand back out of s->candidate[0 .. nr), keeping
 * the order. Returns how many are left: at least 1 when nr was.
 */
uint32_t scheduler__fair_filter(struct scheduler *s, uint32_t nr);

/*
 * A starved task has its turn (s->turn_left): keep only it, if it can use it.
 * Returns how many are left.
 */
uint32_t scheduler__turn_filter(struct scheduler *s, uint32_t nr);

/*
 * If some candidates were enabled and not picked for very long, keep only the
 * one that waits the longest: its turn begins. Returns how many are left.
 */
uint32_t scheduler__starved_filter(struct scheduler *s, uint32_t nr);

/* Note that `t` was found disabled although it was enabled before. */
static inline void scheduler__disabled(struct scheduler *s,
				       struct sched_task *t)
{
	t->enabled_since = 0;
	/* By itself: it announced an operation that has to wait. */
	if (t->id != s->current)
		t->disabled_by |= 1ull << (s->current & 63u);
}

/* ---------------------------------------------------------- scheduler.c */

/*
 * Have the strategy choose among s->candidate[0 .. nr), waiters of `object`,
 * and log it when nr > 1.
 */
enum sched_result scheduler__choose_waiter(struct scheduler *s,
					   const struct scheduler_env *env,
					   uint32_t object, uint32_t nr,
					   uint32_t *chosen);

/* -------------------------------------------------------------- valid.c */

#endif /* SCHEDULER_INTERNAL_H */
