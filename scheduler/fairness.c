/* SPDX-License-Identifier: MIT */
/*
 * fairness.c - keeping tasks that yield from starving the others.
 *
 * A strategy that always prefers one task would run a loop such as
 * "while (!done) sched_yield();" for ever. The cure of the fair scheduler of
 * CHESS: a task that yields stands back behind those that could have run, and
 * did not, since its previous yield.
 *
 * CHESS keeps sets of tasks per task. Stamps say the same here. Let w be
 * t->window, the stamp of t's pick before its previous yield. Then t stands
 * back behind u, as long as u is enabled, when
 *	u was not picked after w, and
 *	u has been enabled since w, or t has disabled u since u's last pick.
 * The second "or" is for loops that take a lock to look: u, waiting for that
 * lock, is disabled now and then, but only ever by those who poll.
 *
 * There is always somebody left: w is never after t's own last pick, so t
 * stands back only behind tasks picked earlier than itself, and the enabled
 * task picked the longest ago (or never: then it never yielded) behind none.
 */
#include "scheduler/internal.h"

void scheduler_yielded(struct scheduler *s, uint32_t t, bool strong)
{
	struct sched_task *task = &s->task[t];
	uint64_t stamp = task->last_scheduled;

	scheduler_changed(s);
	if (strong)
		task->window = stamp;
	else if (task->last_yield != stamp)
		task->window = task->last_yield;
	/* else: it yields for the second time in one step; nothing passed */
	task->last_yield = stamp;
}

/*
 * The stamp from which on u was enabled and not picked: u is in the way of
 * everybody whose window is not before it.
 */
static uint64_t waits_since(const struct sched_task *u)
{
	return u->last_scheduled > u->enabled_since ? u->last_scheduled :
						      u->enabled_since;
}

/* The two longest waiting candidates, as one of them may be the asker. */
struct longest {
	uint64_t first, second;	/* stamps; UINT64_MAX when there is none */
	uint32_t first_task;
	uint64_t disabled_by;	/* of all candidates */
};

static struct longest find_longest(const struct scheduler *s, uint32_t nr)
{
	struct longest l = { .first = UINT64_MAX, .second = UINT64_MAX };

	for (uint32_t i = 0; i < nr; i++) {
		const struct sched_task *u = &s->task[s->candidate[i].task];
		uint64_t since = waits_since(u);

		l.disabled_by |= u->disabled_by;
		if (since < l.first) {
			l.second = l.first;
			l.first = since;
			l.first_task = u->id;
		} else if (since < l.second) {
			l.second = since;
		}
	}
	return l;
}

static bool has_disabled_any(const struct scheduler *s, uint32_t nr,
			     const struct sched_task *t)
{
	for (uint32_t i = 0; i < nr; i++) {
		const struct sched_task *u = &s->task[s->candidate[i].task];

		if ((u->disabled_by & (1ull << (t->id & 63u))) && u != t &&
		    u->last_scheduled <= t->window)
			return true;
	}
	return false;
}

static bool must_stand_back(const struct scheduler *s, uint32_t nr,
			    const struct longest *l,
			    const struct sched_task *t)
{
	uint64_t since = l->first_task == t->id ? l->second : l->first;

	if (!t->window)
		return false;
	return since <= t->window ||
	       ((l->disabled_by & (1ull << (t->id & 63u))) &&
		has_disabled_any(s, nr, t));
}

uint32_t scheduler__fair_filter(struct scheduler *s, uint32_t nr)
{
	struct longest l = find_longest(s, nr);
	uint32_t stands_back = 0;
	uint32_t kept = 0;

	/* The tests look at all candidates, so mark first, move after. */
	for (uint32_t i = 0; i < nr; i++) {
		struct explore_op *op = &s->candidate[i];

		op->reserved = must_stand_back(s, nr, &l, &s->task[op->task]);
		stands_back += op->reserved;
	}
	if (!stands_back)
		return nr;
	for (uint32_t i = 0; i < nr; i++) {
		if (s->candidate[i].reserved)
			continue;
		if (kept != i)
			s->candidate[kept] = s->candidate[i];
		kept++;
	}
	SCHED_ASSERT(kept);
	return kept;
}

/*
 * Loops that wait for another task without a proof that they do: "lock; look;
 * unlock" and around again, or a reader that tries again as long as a writer
 * writes. No strategy may starve the others for ever, so who waits for
 * thousands of steps is let in now and then. A single step may not help it, so
 * it has a turn: picks in a row, twice as many each time, as long as it can go
 * on and does not give way. The more turns were needed, the sooner the next.
 *
 * Finite programs do not notice. A search for all schedules must not: it waits
 * much longer, and says that it was so (scheduler.nr_turns).
 */
#define STARVATION_STEPS 4096u
#define STARVATION_STEPS_EXHAUSTIVE 65536u
#define SOONER_TURNS 4u
#define SOONER_MAX 3u

static uint64_t starvation_steps(const struct scheduler *s)
{
	uint32_t sooner = s->nr_turns / SOONER_TURNS;

	if (s->config.is_exhaustive)
		return STARVATION_STEPS_EXHAUSTIVE;
	return STARVATION_STEPS >> (sooner < SOONER_MAX ? sooner : SOONER_MAX);
}

/*
 * Who waits for a lock that others take all the time is enabled now and then.
 */
static uint64_t starves_since(const struct sched_task *t)
{
	return t->disabled_by ? t->last_scheduled : waits_since(t);
}

static uint32_t keep(struct scheduler *s, uint32_t i)
{
	if (i)
		s->candidate[0] = s->candidate[i];
	return 1;
}

uint32_t scheduler__turn_filter(struct scheduler *s, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		const struct explore_op *op = &s->candidate[i];

		if (op->task != s->turn_task ||
		    op->flags & EXPLORE_OP_F_YIELDS)
			continue;
		s->turn_left--;
		return keep(s, i);
	}
	s->turn_left = 0;
	return nr;
}

uint32_t scheduler__starved_filter(struct scheduler *s, uint32_t nr)
{
	uint64_t since = UINT64_MAX;
	uint32_t first = 0;

	for (uint32_t i = 0; i < nr; i++) {
		const struct sched_task *t = &s->task[s->candidate[i].task];

		if (starves_since(t) >= since)
			continue;
		since = starves_since(t);
		first = i;
	}
	if (since >= s->step || s->step - since <= starvation_steps(s))
		return nr;
	s->turn_task = s->candidate[first].task;
	s->turn_left = s->turn_length;
	if (s->turn_length < SCHED_TURN_MAX)
		s->turn_length *= 2;
	s->nr_turns++;
	return keep(s, first);
}
