/* SPDX-License-Identifier: MIT */
/*
 * tally.c - what a search has come to so far, in numbers.
 */
#include "explorer/search/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* ------------------------------------------------------------------ set */

/* The values are hashes already. 0 stands for a free slot. */
static uint64_t as_key(uint64_t value)
{
	return value ? value : 0x517cc1b727220a95ull;
}

static size_t find_slot(const struct set *s, uint64_t key)
{
	size_t i = (size_t)(key * 0x9e3779b97f4a7c15ull >> 20);

	for (i &= s->capacity - 1; s->slot[i] && s->slot[i] != key;)
		i = (i + 1) & (s->capacity - 1);
	return i;
}

static void grow(struct set *s)
{
	struct set bigger = {
		.capacity = s->capacity ? s->capacity * 2 : 1024,
		.nr = s->nr,
	};

	bigger.slot = xcalloc(bigger.capacity, sizeof(*bigger.slot));
	for (size_t i = 0; i < s->capacity; i++)
		if (s->slot[i])
			bigger.slot[find_slot(&bigger, s->slot[i])] =
				s->slot[i];
	free(s->slot);
	*s = bigger;
}

bool set_add(struct set *s, uint64_t value)
{
	uint64_t key = as_key(value);
	size_t i;

	if (s->nr * 2 >= s->capacity)
		grow(s);
	i = find_slot(s, key);
	if (s->slot[i])
		return false;
	s->slot[i] = key;
	s->nr++;
	return true;
}

bool set_has(const struct set *s, uint64_t value)
{
	return s->capacity && s->slot[find_slot(s, as_key(value))];
}

void set_release(struct set *s)
{
	free(s->slot);
	memset(s, 0, sizeof(*s));
}

/* ---------------------------------------------------------------- tally */

/* The first of each number, whatever run it was in. */
static void add_refusals(struct control_counters *sum,
			 const struct control_counters *c)
{
	for (uint64_t i = 0; i < c->nr_refusals && i < CONTROL_MAX_REFUSALS;
	     i++) {
		uint64_t at = 0;

		while (at < sum->nr_refusals &&
		       sum->refusal[at].number != c->refusal[i].number)
			at++;
		if (at == sum->nr_refusals && at < CONTROL_MAX_REFUSALS)
			sum->refusal[sum->nr_refusals++] = c->refusal[i];
	}
}

static void add_counters(struct control_counters *sum,
			 const struct control_counters *c)
{
	sum->traps += c->traps;
	sum->fast_calls += c->fast_calls;
	sum->forks += c->forks;
	sum->execs += c->execs;
	sum->denied += c->denied;
	sum->raw_threads += c->raw_threads;
	sum->signals += c->signals;
	sum->spins += c->spins;
	sum->shared_maps += c->shared_maps;
	sum->io_uring += c->io_uring;
	sum->real_waits += c->real_waits;
	sum->inputs_lost += c->inputs_lost;
	sum->turns += c->turns;
	sum->races_lost += c->races_lost;
	sum->freed_lost += c->freed_lost;
	sum->listeners += c->listeners;
	sum->carried |= c->carried;
	add_refusals(sum, c);
	for (size_t i = 0; i < CONTROL_MAX_SYSCALLS; i++) {
		sum->passed[i] += c->passed[i];
		sum->refused[i] += c->refused[i];
	}
}

void tally_add(struct tally *t, const struct record *r)
{
	t->runs++;
	set_add(&t->digests, r->digest);
	t->steps += r->steps;
	if (r->steps > t->max_steps)
		t->max_steps = r->steps;
	if (r->nr_tasks > t->max_tasks)
		t->max_tasks = r->nr_tasks;
	for (size_t i = 0; i < EXPLORE_OP_NR; i++)
		t->nr_ops[i] += r->nr_ops[i];
	add_counters(&t->counters, &r->counters);
}
