/* SPDX-License-Identifier: MIT */
/*
 * races.c - an access: who did what to these bytes before?
 *
 * What a cell stands for may go to a later one that stands for it too, and
 * this loses no race. Let `old` be ordered before `new`, on the same bytes,
 * and let either `new` be a write or both be reads. Whoever comes and is
 * unordered with `old` is unordered with `new` as well, and in conflict with
 * it if with `old`. So bytes have one write and a read per task at most, as
 * long as there is no race.
 */
#include "scheduler/races/races_internal.h"
#include "scheduler/races/races_sync.h"

static_assert((int)RACES_WRITE == (int)RACES_CELL_WRITE, "see is_repeated()");
static_assert((int)RACES_ATOMIC >= (int)RACES_CELL_RACED, "likewise");

enum result {
	NOTHING = 0,
	SHARED = 1,		/* ordered, but not firmly */
	ORDER_MATTERS = 2,	/* bytes known as atomic */
	RACE = 3,
};

/* Of the two the caller is to be told. */
#define LOOK_AGAIN (RACES_CELL_RACED | RACES_CELL_SHARED)

struct access {
	uint32_t task;
	uint32_t site;
	enum races_access how;
	enum result result;	/* what *found is about */
	struct races_found *found;
};

static bool is_write(const struct races_cell *c)
{
	return c->flags & RACES_CELL_WRITE;
}

/* ------------------------------------------------------------- the cells */

void races__trim(struct races *r, struct races_granule *g, uint8_t mask)
{
	struct races_slots from = races__slots(r, g), to = from;
	struct races_cell *c;

	while ((c = races__next_slot(r, &from)) && c->mask) {
		struct races_cell old = *c;

		old.mask &= (uint8_t)~mask;
		if (old.mask)
			*races__next_slot(r, &to) = old;
	}
	c = races__next_slot(r, &to);
	if (c)
		c->mask = 0;
}

/* A slot behind the last one, or NULL. */
static struct races_cell *add_slot(struct races *r, struct races_granule *g,
				   uint32_t nr_more)
{
	uint32_t *link = races__more_link(r, g);

	if (nr_more == RACES_MAX_MORE)
		return NULL;
	while (*link)
		link = &r->line[*link].more.next;
	*link = races__line_new(r, r->max_lines / RACES_LINE_RESERVE);
	if (!*link) {
		r->nr_lost++;
		return NULL;
	}
	return r->line[*link].more.cell;
}

/* Whether `c` differs from the new cell in its bytes and site only. */
static bool is_same_epoch(const struct races_cell *c,
			  const struct races_cell *new)
{
	return c->task == new->task && c->epoch == new->epoch &&
	       is_write(c) == is_write(new);
}

/* The higher, the smaller the loss. */
static uint32_t expendability(const struct races *r,
			      const struct races_cell *c,
			      const struct races_cell *new)
{
	if (is_same_epoch(c, new))
		return 4;
	if (races__is_ordered(r, new->task, c))
		return is_write(c) ? 2 : 3;
	return is_write(c) ? 0 : 1;
}

/*
 * All slots are taken, the first by the newest cell, and the oldest, `last`,
 * has none. One must go; of equals the oldest.
 */
static void evict(struct races *r, struct races_granule *g,
		  const struct races_cell *last)
{
	struct races_slots slots = races__slots(r, g), behind = slots;
	struct races_cell *new = races__next_slot(r, &slots);
	struct races_cell *c, *victim = NULL, gone = *last;
	uint32_t best = 0;

	r->nr_evicted++;
	while ((c = races__next_slot(r, &slots))) {
		uint32_t rank = expendability(r, c, new);

		if (rank < best)
			continue;
		best = rank;
		victim = c;
		behind = slots;
	}
	if (victim && expendability(r, last, new) < best) {
		gone = *victim;
		for (; (c = races__next_slot(r, &behind)); victim = c)
			*victim = *c;
		*victim = *last;
	}
	if (is_same_epoch(&gone, new)) {
		new->mask |= gone.mask;
		/* There may be foreign cells between the two. */
		new->flags |= RACES_CELL_RACED | RACES_CELL_MERGED;
	}
}

/* Put the cell in front, and take from the others what it stands for. */
static void insert(struct races *r, struct races_granule *g,
		   const struct races_cell *new)
{
	struct races_slots from = races__slots(r, g), to = from;
	struct races_cell carry = *new;
	struct races_cell *c;

	while ((c = races__next_slot(r, &from)) && c->mask) {
		struct races_cell old = *c;

		if ((old.mask & new->mask) &&
		    (is_write(new) || !is_write(&old)) &&
		    races__is_ordered(r, new->task, &old))
			old.mask &= (uint8_t)~new->mask;
		if (!old.mask)
			continue;
		*races__next_slot(r, &to) = carry;
		carry = old;
	}
	c = races__next_slot(r, &to);
	if (!c)
		c = add_slot(r, g, to.nr_more);
	if (!c) {
		evict(r, g, &carry);
		return;
	}
	*c = carry;
	c = races__next_slot(r, &to);
	if (c)
		c->mask = 0;
}

/*
 * Look for the most recent unordered conflict, else one that is not ordered
 * firmly. Also finds what need not be noted about the access, and what
 * could be noted together with it.
 */
static enum result find_conflict(struct races *r, struct races_granule *g,
				 struct races_cell *new,
				 struct races_cell *other)
{
	struct races_slots slots = races__slots(r, g);
	uint8_t mask = new->mask, needed = mask, same = 0, flags = new->flags;
	enum result result = NOTHING;
	bool has_foreign = false;
	struct races_cell *c;

	while ((c = races__next_slot(r, &slots)) && c->mask) {
		if (!result && c->flags & RACES_CELL_SHARED && c->mask & mask) {
			*other = *c;
			result = SHARED;
			flags |= RACES_CELL_SHARED;
		}
		if (c->task == new->task) {
			if (c->epoch != new->epoch)
				continue;
			/* Its write in this epoch stands for a read, too. */
			if (is_write(c) && !is_write(new))
				needed &= (uint8_t)~c->mask;
			/* With foreign cells between it would hide them. */
			if (is_same_epoch(c, new) && c->site == new->site &&
			    !has_foreign) {
				same |= c->mask;
				flags |= c->flags;
			}
			continue;
		}
		has_foreign = true;
		if (result == RACE || !(c->mask & mask) ||
		    !(is_write(c) || is_write(new)) ||
		    (races__is_ordered(r, new->task, c) &&
		     (result || races__is_firm(r, new->task, c))))
			continue;
		*other = *c;
		if (races__is_ordered(r, new->task, c)) {
			result = SHARED;
			flags |= RACES_CELL_SHARED;
		} else {
			result = RACE;
			flags |= RACES_CELL_RACED;
		}
	}
	new->mask = needed ? needed | same : 0;
	new->flags = flags;
	return result;
}

/* ------------------------------------------------------------ an access */

/* The granule at `base` has a conflict of the access `mine` with `other`. */
static void note_conflict(struct access *a, enum result result, uint64_t base,
			  const struct races_cell *mine,
			  const struct races_cell *other)
{
	struct races_found *f = a->found;
	uint32_t both = mine->mask & other->mask;
	uint32_t first = (uint32_t)__builtin_ctz(both);
	uint32_t size = (uint32_t)__builtin_ctz(~(both >> first));

	/* The same two accesses in the next granule. */
	if (result == a->result && f->other_task == other->task &&
	    f->other_site == other->site &&
	    f->other_is_write == is_write(other) &&
	    f->addr + f->size == base + first)
		f->size += size;
	if (result <= a->result)
		return;
	a->result = result;
	*f = (struct races_found){
		.addr = base + first,
		.size = size,
		.task = a->task,
		.other_task = other->task,
		.site = a->site,
		.other_site = other->site,
		.is_write = is_write(mine),
		.other_is_write = is_write(other),
		.is_synchronising = result == ORDER_MATTERS,
		.is_shared = result == SHARED,
	};
}

static void access_plain(struct races *r, struct access *a,
			 struct races_granule *g, uint64_t base,
			 const struct races_cell *mine)
{
	struct races_cell new = *mine, other;
	enum result result = find_conflict(r, g, &new, &other);

	if (result)
		note_conflict(a, result, base, mine, &other);
	if (new.mask)
		insert(r, g, &new);
}

/* Some of the bytes are known as atomic, or become so. */
static void access_synchronising(struct races *r, struct access *a,
				 struct races_granule *g, uint64_t base,
				 struct races_cell *mine)
{
	uint8_t atomic = races__sync_mask(r, g);
	struct races_cell plain, other;

	if (a->how == RACES_ATOMIC && (mine->mask & ~atomic)) {
		if (!races__sync_make(r, g, mine->mask & (uint8_t)~atomic))
			return;
		atomic |= mine->mask;
		mine->epoch = r->task[a->task].epoch;
	}
	plain = *mine;
	plain.mask &= (uint8_t)~atomic;
	mine->mask &= atomic;
	if (mine->mask && races__sync_enter(r, g, mine, a->how, &other))
		note_conflict(a, ORDER_MATTERS, base, mine, &other);
	if (plain.mask)
		access_plain(r, a, g, base, &plain);
	if (mine->mask && a->how != RACES_READ)
		races__sync_leave(r, g, mine);
}

/*
 * The task did the same in this epoch already and nobody else was here since.
 * An atomic access never is: its number is above the flag of a write.
 */
static inline bool is_repeated(const struct races_cell *c, uint32_t task,
			       uint32_t epoch, enum races_access how,
			       uint8_t mask)
{
	return c->epoch == epoch && c->task == task && !(mask & ~c->mask) &&
	       !(c->flags & LOOK_AGAIN) && c->flags >= how;
}

static void access_granule(struct races *r, struct access *a,
			   struct races_granule *g, uint64_t base, uint8_t mask)
{
	struct races_cell mine = {
		.epoch = r->task[a->task].epoch,
		.task = (uint16_t)a->task,
		.mask = mask,
		.flags = a->how ? RACES_CELL_WRITE : 0,
		.site = a->site,
	};

	if (a->how == RACES_ATOMIC || (g->link & RACES_LINK_SYNC))
		access_synchronising(r, a, g, base, &mine);
	else if (g->first.mask)
		access_plain(r, a, g, base, &mine);
	else if (g->link)
		insert(r, g, &mine);
	else
		g->first = mine;
}

/* [addr, end) lies in the unit. */
static void access_unit(struct races *r, struct access *a,
			struct races_unit *unit, uint64_t addr, uint64_t end)
{
	uint32_t epoch = r->task[a->task].epoch;

	while (addr < end) {
		uint64_t base = addr & ~7ull;
		uint64_t next = end < base + 8 ? end : base + 8;
		uint32_t i = base >> RACES_GRANULE_SHIFT &
			     (RACES_UNIT_GRANULES - 1);
		struct races_granule *g = &unit->granule[i];
		uint8_t mask = (uint8_t)(0xffu >> (8 - (next - addr))
					 << (addr & 7));

		if (!is_repeated(&g->first, a->task, epoch, a->how, mask)) {
			access_granule(r, a, g, base, mask);
			if (r->is_blind)
				return;
			epoch = r->task[a->task].epoch;
		}
		addr = next;
	}
}

static void access_range(struct races *r, struct access *a, uint64_t addr,
			 uint64_t end)
{
	while (addr < end && !r->is_blind) {
		uint64_t key = addr >> RACES_UNIT_SHIFT;
		uint64_t next = (key + 1) << RACES_UNIT_SHIFT;
		uint32_t unit = races__unit_make(r, key);

		if (next > end)
			next = end;
		if (unit) {
			access_unit(r, a, &r->unit[unit], addr, next);
		} else {
			r->nr_lost++;
			/* It orders more than this memory. */
			if (a->how == RACES_ATOMIC)
				r->is_blind = 1;
		}
		addr = next;
	}
}

/*
 * The cell is the granule's only one, nothing else is known of it, and the new
 * access can take its place, or be noted along with it. The same as
 * access_plain() would do.
 */
static inline bool replace(struct races *r, struct races_cell *c, uint32_t task,
			   enum races_access how, uint8_t mask, uint32_t site)
{
	uint32_t epoch = r->task[task].epoch;

	if (how > RACES_WRITE || !epoch || r->is_blind)
		return false;
	if (c->mask && c->task == task && c->epoch == epoch &&
	    c->flags == how && c->site == site) {
		c->mask |= mask;
		return true;
	}
	if (c->mask && ((c->mask & ~mask) ||
			(how == RACES_READ && is_write(c)) ||
			(c->flags & RACES_CELL_SHARED) ||
			!races__is_ordered(r, task, c) ||
			!races__is_firm(r, task, c)))
		return false;
	c->epoch = epoch;
	c->task = (uint16_t)task;
	c->mask = mask;
	c->flags = (uint8_t)how;
	c->site = site;
	return true;
}

/* Units stay where they are, so the last one is still the same. */
static inline uint32_t recent_unit(struct races *r, uint64_t key)
{
	if (r->last_key == key && r->last_unit)
		return r->last_unit;
	r->last_unit = races__unit_find(r, key);
	r->last_key = key;
	return r->last_unit;
}

/*
 * The frequent cases, apart from the rest so that they save no registers: true
 * when there is nothing more to do, and nothing to tell. With `is_told` that
 * includes the very same access as the last one here.
 */
static inline __attribute__((always_inline)) bool
is_simple(struct races *r, uint32_t task, uint64_t addr, uint32_t size,
	  enum races_access how, uint32_t site, bool is_told)
{
	uint32_t offset = addr & 7, unit;
	struct races_granule *g;
	struct races_cell *c;
	uint8_t mask;

	/* Also false for a size of 0. */
	if (size - 1 > 7 - offset)
		return false;
	mask = (uint8_t)(0xffu >> (8 - size) << offset);
	unit = recent_unit(r, addr >> RACES_UNIT_SHIFT);
	g = &r->unit[unit].granule[addr >> RACES_GRANULE_SHIFT &
				   (RACES_UNIT_GRANULES - 1)];
	c = &g->first;
	if (is_repeated(c, task, r->task[task].epoch, how, mask)) {
		/* The latest of several equal ones is the one to report. */
		if (c->site != site && c->mask == mask && c->flags == how)
			c->site = site;
		return true;
	}
	if (is_told && how != RACES_ATOMIC &&
	    (c->flags & ~LOOK_AGAIN) == how &&
	    c->site == site && c->task == task &&
	    c->epoch == r->task[task].epoch && !(mask & ~c->mask))
		return true;
	return unit && !g->link && replace(r, c, task, how, mask, site);
}

static __attribute__((noinline)) enum result
access_new(struct races *r, uint32_t task, uint64_t addr, uint32_t size,
	   enum races_access how, uint32_t site, struct races_found *found)
{
	struct access a = {
		.task = task,
		.site = site,
		.how = how,
		.found = found,
	};
	uint64_t end = addr + size;

	if (r->is_blind || addr >= RACES_MAX_ADDR)
		return NOTHING;
	races__start(r, task);
	access_range(r, &a, addr, end < RACES_MAX_ADDR ? end : RACES_MAX_ADDR);
	return r->is_blind ? NOTHING : a.result;
}

bool races_access(struct races *r, uint32_t task, uint64_t addr, uint32_t size,
		  enum races_access how, uint32_t site,
		  struct races_found *found)
{
	struct races_found news;

	SCHED_ASSERT(task < SCHED_MAX_TASKS);
	if (is_simple(r, task, addr, size, how, site, false))
		return false;
	if (access_new(r, task, addr, size, how, site, &news) <= SHARED)
		return false;
	*found = news;
	return true;
}

bool races_access_news(struct races *r, uint32_t task, uint64_t addr,
		       uint32_t size, enum races_access how, uint32_t site,
		       struct races_found *found)
{
	SCHED_ASSERT(task < SCHED_MAX_TASKS);
	if (is_simple(r, task, addr, size, how, site, true))
		return false;
	return access_new(r, task, addr, size, how, site, found) != NOTHING;
}

/* ------------------------------------------------- what is known as atomic */

void races_make_atomic(struct races *r, uint64_t addr, uint32_t size)
{
	uint64_t next, end = addr + size;

	for (; addr < end && !r->is_blind; addr = next) {
		uint64_t base = addr & ~7ull;
		struct races_granule *g;
		uint32_t unit;
		uint8_t mask;

		if (addr >= RACES_MAX_ADDR)
			return;
		next = end < base + 8 ? end : base + 8;
		unit = races__unit_make(r, addr >> RACES_UNIT_SHIFT);
		if (!unit) {
			/* What stores to it order would seem a race. */
			r->nr_lost++;
			r->is_blind = 1;
			return;
		}
		g = &r->unit[unit].granule[base >> RACES_GRANULE_SHIFT &
					   (RACES_UNIT_GRANULES - 1)];
		mask = (uint8_t)(0xffu >> (8 - (next - addr)) << (addr & 7));
		mask &= (uint8_t)~races__sync_mask(r, g);
		if (mask)
			races__sync_make(r, g, mask);
	}
}

bool races_is_atomic(const struct races *r, uint64_t addr, uint32_t size)
{
	uint64_t next, end = addr + size;

	for (; addr < end; addr = next) {
		uint64_t base = addr & ~7ull;
		const struct races_granule *g;
		uint32_t mask;

		next = end < base + 8 ? end : base + 8;
		g = &r->unit[races__unit_find(r, addr >> RACES_UNIT_SHIFT)]
			     .granule[base >> RACES_GRANULE_SHIFT &
				      (RACES_UNIT_GRANULES - 1)];
		mask = 0xffu >> (8 - (next - addr)) << (addr & 7);
		if (races__sync_mask(r, g) & mask)
			return true;
	}
	return false;
}

static bool is_granule_settled(struct races *r, uint32_t task,
			       struct races_granule *g)
{
	struct races_slots slots = races__slots(r, g);
	struct races_cell *c;

	if (g->link & RACES_LINK_SYNC)
		return false;
	while ((c = races__next_slot(r, &slots)) && c->mask)
		if (!races__is_ordered(r, task, c))
			return false;
	return true;
}

bool races_is_settled(struct races *r, uint32_t task, uint64_t addr,
		      uint32_t size)
{
	uint64_t end = addr + size;

	races__start(r, task);
	for (addr &= ~7ull; addr < end && addr < RACES_MAX_ADDR; addr += 8) {
		uint32_t unit = races__unit_find(r, addr >> RACES_UNIT_SHIFT);
		uint32_t i = addr >> RACES_GRANULE_SHIFT &
			     (RACES_UNIT_GRANULES - 1);

		if (!is_granule_settled(r, task, &r->unit[unit].granule[i]))
			return false;
	}
	return true;
}
