/* SPDX-License-Identifier: MIT */
/*
 * races_sync.c - bytes that are known as atomic.
 *
 * They have a clock instead of a history: whoever reads them acquires it,
 * whoever writes them adds to it. That they were used by others is remembered
 * all the same, for the order of such uses is what schedules differ in.
 */
#include "scheduler/races/races_internal.h"
#include "scheduler/races/races_firm.h"
#include "scheduler/races/races_sync.h"

static struct races_sync *sync_at(struct races *r, uint32_t link)
{
	if (!(link & RACES_LINK_SYNC))
		return NULL;
	return &r->line[link & ~RACES_LINK_SYNC].sync;
}

uint8_t races__sync_mask(const struct races *r, const struct races_granule *g)
{
	uint32_t link = g->link;
	uint8_t mask = 0;

	while (link & RACES_LINK_SYNC) {
		const struct races_sync *s =
			&r->line[link & ~RACES_LINK_SYNC].sync;

		mask |= s->mask;
		link = s->next;
	}
	return mask;
}

/* ---------------------------------------------------------------- users */

/* The task's place, else the first free one, else RACES_USERS. */
static uint32_t user_index(const struct races_sync *s, uint16_t task)
{
	uint32_t i = 0;

	while (i < RACES_USERS && s->user[i].mask && s->user[i].task != task)
		i++;
	return i;
}

/*
 * Whose place a newcomer gets: the oldest that only read, for a writer is in
 * conflict with more.
 */
static uint32_t user_to_replace(const struct races_sync *s)
{
	for (uint32_t i = RACES_USERS; i--;)
		if (!(s->user[i].flags & RACES_CELL_WRITE))
			return i;
	return RACES_USERS - 1;
}

/* The most recent use is `c`. */
static void note_user(struct races_sync *s, const struct races_cell *c)
{
	uint32_t i = user_index(s, c->task);
	struct races_cell user = *c;

	if (i == RACES_USERS) {
		i = user_to_replace(s);
	} else if (s->user[i].mask) {
		user.mask |= s->user[i].mask;
		user.flags |= s->user[i].flags;
	}
	for (; i; i--) {
		s->user[i] = s->user[i - 1];
		SCHED_NO_IDIOM();
	}
	s->user[0] = user;
}

/* An older use than all that are there. */
static void append_user(struct races_sync *s, const struct races_cell *c)
{
	uint32_t i = user_index(s, c->task);

	if (i == RACES_USERS)
		return;
	if (!s->user[i].mask) {
		s->user[i] = *c;
		return;
	}
	s->user[i].mask |= c->mask;
	s->user[i].flags |= c->flags;
}

/*
 * Whether the use came before `t`, or one of those that made it, was created.
 * Other orders do not count: most of them come from the use itself, and the
 * next run may have it the other way round.
 */
static bool is_before_birth(const struct races *r, uint32_t t,
			    const struct races_cell *user)
{
	while (r->task[t].parent) {
		uint32_t parent = r->task[t].parent - 1;

		if (parent == user->task)
			return user->epoch <= r->task[t].parent_epoch;
		t = parent;
	}
	return false;
}

static const struct races_cell *find_user(const struct races *r,
					  const struct races_sync *s,
					  const struct races_cell *c)
{
	for (uint32_t i = 0; i < RACES_USERS && s->user[i].mask; i++) {
		const struct races_cell *user = &s->user[i];

		if (user->task != c->task && (user->mask & c->mask) &&
		    ((user->flags | c->flags) & RACES_CELL_WRITE) &&
		    !is_before_birth(r, c->task, user))
			return user;
	}
	return NULL;
}

/* --------------------------------------------------- beginning and end */

/*
 * A plain write was a store of what is atomic from now on, so it was a
 * release. What its task knew then was not kept. What it knows now is more, in
 * the entries of others; that errs on the side of silence.
 */
static void release_late(struct races *r, struct races_sync *s,
			 const struct races_cell *c)
{
	uint32_t known;

	if (!s->clock)
		s->clock = races__clock_new(r);
	if (!s->clock)
		return;
	known = races__clock_get(r, s->clock, c->task);
	races__clock_join(r, s->clock, r->task[c->task].clock);
	races__clock_set(r, s->clock, c->task,
			 known > c->epoch ? known : c->epoch);
	/* Nobody may know a task at its current epoch. */
	if (r->task[c->task].epoch == c->epoch)
		races__tick(r, c->task);
}

bool races__sync_make(struct races *r, struct races_granule *g, uint8_t mask)
{
	uint32_t line = races__line_new(r, 0);
	struct races_slots slots = races__slots(r, g);
	struct races_sync *s = &r->line[line].sync;
	struct races_cell *c;

	if (!line) {
		r->is_blind = 1;
		return false;
	}
	s->mask = mask;
	while ((c = races__next_slot(r, &slots)) && c->mask) {
		struct races_cell user = *c;

		user.mask &= mask;
		if (!user.mask)
			continue;
		append_user(s, &user);
		if (user.flags & RACES_CELL_WRITE)
			release_late(r, s, &user);
	}
	races__trim(r, g, mask);
	s->next = g->link;
	g->link = line | RACES_LINK_SYNC;
	return !r->is_blind;
}

void races__sync_trim(struct races *r, struct races_granule *g, uint8_t mask)
{
	uint32_t *link = &g->link;
	struct races_sync *s;

	while ((s = sync_at(r, *link))) {
		uint32_t line = *link & ~RACES_LINK_SYNC;

		s->mask &= (uint8_t)~mask;
		/* Users may keep bytes that s->mask has no more. */
		if (s->mask) {
			link = &s->next;
			continue;
		}
		*link = s->next;
		races__clock_free(r, s->clock);
		races__line_free(r, line);
	}
}

/* ----------------------------------------------------------- an access */

bool races__sync_enter(struct races *r, struct races_granule *g,
		       const struct races_cell *c, enum races_access how,
		       struct races_cell *other)
{
	struct races_sync *s;
	bool has_other = false;

	for (uint32_t link = g->link; (s = sync_at(r, link)); link = s->next) {
		const struct races_cell *user;
		struct races_cell mine = *c;

		mine.mask &= s->mask;
		if (!mine.mask)
			continue;
		user = has_other ? NULL : find_user(r, s, &mine);
		if (user) {
			*other = *user;
			has_other = true;
		}
		note_user(s, &mine);
		if (how == RACES_WRITE || !s->clock)
			continue;
		races__firm_part(r, c->task, s->clock);
		races__clock_join(r, r->task[c->task].clock, s->clock);
	}
	return has_other;
}

void races__sync_leave(struct races *r, struct races_granule *g,
		       const struct races_cell *c)
{
	struct races_sync *s;
	bool has_released = false;

	for (uint32_t link = g->link; (s = sync_at(r, link)); link = s->next) {
		if (!(c->mask & s->mask))
			continue;
		if (!s->clock)
			s->clock = races__clock_new(r);
		if (!s->clock)
			return;
		races__clock_join(r, s->clock, r->task[c->task].clock);
		has_released = true;
	}
	if (has_released)
		races__tick(r, c->task);
}
