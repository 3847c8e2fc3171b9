/* SPDX-License-Identifier: MIT */
/*
 * learn.c - what runs show of the accesses, merged by generations of runs.
 */
#include "explorer/search/learn.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "explorer/races/race_stacks.h"
#include "explorer/search/failure.h"

/*
 * A generation has about a quarter of the runs before it. So what a run shows
 * comes late by a quarter at most, and there are few ends at which a job waits
 * for the others.
 */
#define GENERATION_SHARE 4u
#define MIN_GENERATION 4u
#define MAX_GENERATION 256u

/* Once in so many runs, on average: */
#define WATCH_ALL_RUNS 16u
#define SHARED_RUNS 8u

/* A site that was hot in so many runs, and showed nothing, is private. */
#define PRIVATE_RUNS 24u

/* What a run is told of sites; of the rest the tool makes its own. */
#define TAKEN (CONTROL_ACCESS_LEARNED | CONTROL_ACCESS_SEEN |	\
	       CONTROL_ACCESS_ATOMIC | CONTROL_ACCESS_SHARED)

/* ------------------------------------------------------------ generations */

static bool is_sequential(const struct plan *plan)
{
	return plan->strategy->flags & EXPLORE_STRATEGY_F_SEQUENTIAL;
}

uint64_t learn_generation(const struct plan *plan, uint64_t first)
{
	uint64_t nr = first / GENERATION_SHARE;

	/* The first run shows most. Some need each run before the next. */
	if (!first || is_sequential(plan))
		return 1;
	if (nr < MIN_GENERATION)
		return MIN_GENERATION;
	return nr < MAX_GENERATION ? nr : MAX_GENERATION;
}

/* One run in `nr`, but never the first; the same ones in every search. */
static bool is_chosen(uint64_t run, uint64_t salt, uint32_t nr)
{
	uint64_t x = (run + 1) * 0x9e3779b97f4a7c15ull ^ salt;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	x ^= x >> 31;
	return run && x % nr == 0;
}

/*
 * A strategy that builds each run on the last one walks a tree: what is an
 * operation must be the same in all of its runs.
 */
uint32_t learn_run_flags(const struct plan *plan, uint64_t run)
{
	uint32_t flags = 0;

	if (is_sequential(plan))
		return 0;
	if (is_chosen(run, 0x5745415443480001ull, WATCH_ALL_RUNS))
		flags |= CONTROL_F_WATCH_ALL;
	/*
	 * What atomics order may be ordered otherwise in a schedule that is
	 * hard to come by: the runs in which it is told from the rest. In a
	 * tree of all schedules of the atomics those are there anyway.
	 */
	if (is_chosen(run, 0x5348415245440002ull, SHARED_RUNS))
		flags |= CONTROL_F_SHARED;
	/*
	 * Freed memory stays out of use for a while in every other run: then
	 * late users of it are found, and in the others those who take new
	 * memory for the old. A tree is of the program as it is.
	 */
	if (run % 2 == 0)
		flags |= CONTROL_F_QUARANTINE;
	return flags;
}

/* ---------------------------------------------------------------- lessons */

void lesson_release(struct lesson *l)
{
	free(l->site);
	free(l->call);
	race_log_release(&l->races);
	failure_free(l->run);
	memset(l, 0, sizeof(*l));
}

static void take_site(struct lesson *l, const struct learning *k,
		      const struct control *c, uint32_t i, uint8_t state)
{
	l->site = xrealloc(l->site, l->nr_sites + 1, sizeof(*l->site));
	l->site[l->nr_sites++] = (struct lesson_site){
		.addr = race_stacks_address(c, k->home, c->access[i].addr),
		.site = i,
		.state = state,
	};
}

/* Sites from `first` on; most of them have nothing new to say. */
static void take_sites(struct lesson *l, const struct learning *k,
		       const struct control *c, uint32_t first, uint32_t nr)
{
	for (uint32_t i = first; i < first + nr; i++) {
		uint64_t was, is;

		if (!(i % 8) && i + 8 <= first + nr) {
			memcpy(&was, &k->state[i], 8);
			memcpy(&is, &c->access_state[i], 8);
			if (was == is) {
				i += 7;
				continue;
			}
		}
		if (c->access_state[i] & ~k->state[i])
			take_site(l, k, c, i, c->access_state[i]);
	}
}

void lesson_take(struct lesson *l, const struct learning *k,
		 const struct control *c)
{
	take_sites(l, k, c, 0, c->nr_access);
	take_sites(l, k, c, CONTROL_FIRST_CALL, 2 * c->nr_calls);
	l->call = xcalloc(c->nr_calls + 1, sizeof(*l->call));
	for (uint32_t i = k->nr_calls; i < c->nr_calls; i++)
		l->call[l->nr_calls++] = race_stacks_address(
			c, k->home,
			c->access[control_call_site(i, false)].addr);
	l->nr_atomic_pairs = l->races.nr_atomic_pairs + c->nr_atomic_pairs;
}

/* ---------------------------------------------------------------- merging */

void learn_init(struct learning *k, const struct control *home,
		const struct plan *plan)
{
	memset(k, 0, sizeof(*k));
	k->home = home;
	k->state = xcalloc(CONTROL_MAX_ACCESS, sizeof(*k->state));
	k->nr_hot = xcalloc(CONTROL_MAX_ACCESS, sizeof(*k->nr_hot));
	k->call = xcalloc(CONTROL_MAX_CALLS, sizeof(*k->call));
	k->unpatches = !is_sequential(plan) &&
		       !(plan->strategy->flags & EXPLORE_STRATEGY_F_TICKS);
}

void learn_release(struct learning *k)
{
	free(k->state);
	free(k->nr_hot);
	free(k->call);
	race_log_release(&k->races);
}

static uint32_t find_call(const struct learning *k, uint64_t addr)
{
	uint32_t i = 0;

	while (i < k->nr_calls && k->call[i] != addr)
		i++;
	return i;
}

/* The number here of a site that has `site` in a run's region. */
static uint32_t find_site(const struct learning *k, uint64_t addr,
			  uint32_t site)
{
	bool is_write = site >= CONTROL_FIRST_CALL &&
			(site - CONTROL_FIRST_CALL) & 1;
	uint32_t call;

	if (site < CONTROL_FIRST_CALL)
		return site;
	call = find_call(k, addr + is_write);
	return call < k->nr_calls ? control_call_site(call, is_write)
				  : CONTROL_MAX_ACCESS;
}

static void merge_site(struct learning *k, const struct lesson_site *s,
		       bool *is_atomic)
{
	uint32_t i = find_site(k, s->addr, s->site);
	uint8_t gained;

	if (i >= CONTROL_MAX_ACCESS)
		return;
	if (s->state & CONTROL_ACCESS_HOT && k->nr_hot[i] <= PRIVATE_RUNS)
		k->nr_hot[i]++;
	gained = s->state & (uint8_t)~k->state[i] & TAKEN;
	if (!gained)
		return;
	k->has_news = true;
	k->has_new_code |= (gained & CONTROL_ACCESS_SEEN) != 0;
	*is_atomic |= (gained & CONTROL_ACCESS_ATOMIC) != 0;
	k->state[i] |= gained;
}

/* Races of a run: sites as they are numbered here. */
static void renumber(struct learning *k, struct race_entry *entry, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		struct control_race *r = &entry[i].found;

		r->site = find_site(k, r->pc, r->site);
		r->other_site = find_site(k, r->other_pc, r->other_site);
	}
}

void learn_merge(struct learning *k, struct lesson *l,
		 const struct race_judge *j)
{
	bool is_atomic = false;

	for (uint32_t i = 0; i < l->nr_calls; i++)
		if (k->nr_calls < CONTROL_MAX_CALLS &&
		    find_call(k, l->call[i]) == k->nr_calls) {
			k->call[k->nr_calls++] = l->call[i];
			k->has_news = true;
		}
	for (uint32_t i = 0; i < l->nr_sites; i++)
		merge_site(k, &l->site[i], &is_atomic);
	if (is_atomic)
		k->nr_atomic_pairs += l->nr_atomic_pairs;
	if (!l->races.nr && !l->races.nr_unsure && !l->races.ended_by)
		return;
	k->has_news = true;
	renumber(k, l->races.entry, l->races.nr);
	renumber(k, l->races.unsure, l->races.nr_unsure);
	race_log_merge(&k->races, &l->races, j);
}

/* ------------------------------------------------------------- conclusions */

/* Whether another site of the same instruction is learned. */
static bool has_learned_twin(const struct learning *k, uint32_t i)
{
	const struct instrument_site *access = k->home->access;
	uint64_t addr = access[i].addr;

	if (i >= k->home->nr_access)
		return false;
	return (i && access[i - 1].addr == addr &&
		k->state[i - 1] & CONTROL_ACCESS_LEARNED) ||
	       (i + 1 < k->home->nr_access && access[i + 1].addr == addr &&
		k->state[i + 1] & CONTROL_ACCESS_LEARNED);
}

/* The accesses of one patch are private only together. */
static bool may_unpatch(const struct learning *k, uint32_t first)
{
	const struct control *c = k->home;
	uint32_t i = first;

	do {
		if (k->state[i] & (CONTROL_ACCESS_LEARNED |
				   CONTROL_ACCESS_ATOMIC) ||
		    c->access[i].flags & (INSTRUMENT_ATOMIC | INSTRUMENT_TSC))
			return false;
	} while (++i < c->nr_access && c->access[i].is_second);
	return true;
}

/*
 * What is hot in a run and showed nothing in many costs nothing from now on,
 * until a run that watches everything shows it after all. When a run comes to
 * code that none had seen, what is shared is open again.
 */
static void choose_private(struct learning *k)
{
	const struct control *c = k->home;

	if (!k->unpatches)
		return;
	if (k->has_new_code)
		memset(k->nr_hot, 0, c->nr_access * sizeof(k->nr_hot[0]));
	for (uint32_t i = 0; i < c->nr_access; i++) {
		bool is = k->state[i] & CONTROL_ACCESS_PRIVATE;
		bool shall = !c->access[i].is_second &&
			     k->nr_hot[i] >= PRIVATE_RUNS && may_unpatch(k, i);

		if (is == shall)
			continue;
		k->state[i] ^= CONTROL_ACCESS_PRIVATE;
		k->nr_private += shall ? 1 : UINT32_MAX;
		k->private_version++;
		k->has_news = true;
	}
	k->has_new_code = false;
}

/*
 * A trace names live instructions by their address, so the two accesses of a
 * movs are live together.
 */
static bool is_worth_live(const struct learning *k, uint32_t i)
{
	if (i < k->home->nr_access && k->home->access[i].order_only)
		return false;
	return k->state[i] & CONTROL_ACCESS_LEARNED || has_learned_twin(k, i);
}

static uint32_t make_live(struct learning *k, uint32_t first, uint32_t nr)
{
	uint32_t nr_new = 0;

	for (uint32_t i = first; i < first + nr; i++)
		if (!(k->state[i] & CONTROL_ACCESS_LIVE) &&
		    is_worth_live(k, i)) {
			k->state[i] |= CONTROL_ACCESS_LIVE;
			nr_new++;
		}
	return nr_new;
}

uint32_t learn_end_generation(struct learning *k)
{
	uint32_t nr;

	choose_private(k);
	if (!k->has_news)
		return 0;
	nr = make_live(k, 0, k->home->nr_access);
	nr += make_live(k, CONTROL_FIRST_CALL, 2 * k->nr_calls);
	k->nr_live += nr;
	return nr;
}

static void tell_races(const struct learning *k, struct control *c)
{
	for (uint32_t i = 0; i < k->races.nr; i++) {
		struct control_race *r = &c->race[i];

		*r = k->races.entry[i].found;
		/* The runtime looks for these; the rest is for people. */
		if (r->site < CONTROL_MAX_ACCESS)
			r->pc = c->access[r->site].addr;
		if (r->other_site < CONTROL_MAX_ACCESS)
			r->other_pc = c->access[r->other_site].addr;
	}
	c->nr_start_races = k->races.nr;
}

void learn_tell(const struct learning *k, struct control *c)
{
	memcpy(c->access_start, k->state, c->nr_access);
	memcpy(&c->access_start[CONTROL_FIRST_CALL],
	       &k->state[CONTROL_FIRST_CALL], 2ul * k->nr_calls);
	if (c->nr_calls > k->nr_calls)
		memset(&c->access_start[control_call_site(k->nr_calls, false)],
		       0, 2ul * (c->nr_calls - k->nr_calls));
	/* Those that it has stay where they are: the zygote knows them. */
	c->nr_calls = c->nr_start_calls;
	if (c->nr_calls > k->nr_calls)
		c->nr_calls = k->nr_calls;
	while (c->nr_calls < k->nr_calls)
		control_add_call(c, race_stacks_address(k->home, c,
							k->call[c->nr_calls]));
	c->nr_start_calls = c->nr_calls;
	c->nr_private = k->nr_private;
	c->private_version = k->private_version;
	tell_races(k, c);
}
