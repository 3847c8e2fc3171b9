/* SPDX-License-Identifier: MIT */
/*
 * races_shadow.c - from addresses to granules, and the end of their history.
 *
 * The table of units starts small and moves to a place twice as large when it
 * is half full, so a program that touches little costs a page or two. Units
 * are never given back: memory that was used once is likely to be used again.
 */
#include "scheduler/races/races_internal.h"
#include "scheduler/races/races_sync.h"

static void put(struct races *r, uint64_t bucket)
{
	uint64_t *table = r->bucket + r->first_bucket;
	uint32_t i = races__hash(r, bucket >> RACES_UNIT_BITS);

	while (table[i])
		i = (i + 1) & (r->nr_buckets - 1);
	table[i] = bucket;
}

static void set_table(struct races *r, uint32_t nr_buckets)
{
	r->nr_buckets = nr_buckets;
	/* 0, 128, 384, ...: behind all the smaller ones. */
	r->first_bucket = nr_buckets - RACES_MIN_BUCKETS;
	r->hash_shift = 64 - (uint32_t)__builtin_ctz(nr_buckets);
}

static void grow(struct races *r)
{
	const uint64_t *old = r->bucket + r->first_bucket;
	uint32_t nr_old = r->nr_buckets;

	set_table(r, nr_old * 2);
	for (uint32_t i = 0; i < nr_old; i++)
		if (old[i])
			put(r, old[i]);
}

uint32_t races__unit_make(struct races *r, uint64_t key)
{
	uint32_t unit = races__unit_find(r, key);

	if (unit)
		return unit;
	if (r->nr_units + 1 >= r->max_units)
		return 0;
	/* The largest table is at most half full, with all units in it. */
	if (r->nr_units >= r->nr_buckets / 2)
		grow(r);
	unit = ++r->nr_units;
	put(r, key << RACES_UNIT_BITS | unit);
	return unit;
}

void races_init(struct races *r)
{
	r->max_units = RACES_MAX_UNITS;
	r->max_lines = RACES_MAX_LINES;
	set_table(r, RACES_MIN_BUCKETS);
	races__start(r, 0);
}

size_t races_bytes(void)
{
	return sizeof(struct races);
}

uint64_t races_nr_lost(const struct races *r)
{
	return r->nr_lost;
}

bool races_is_full(const struct races *r)
{
	return r->nr_lost || r->is_blind;
}

/* ----------------------------------------------------------- forgetting */

/* All of the granule's bytes. */
static void forget_granule(struct races *r, struct races_granule *g)
{
	uint32_t line, next;

	races__sync_trim(r, g, 0xff);
	for (line = g->link; line; line = next) {
		next = r->line[line].more.next;
		races__line_free(r, line);
	}
	g->link = 0;
	g->first.mask = 0;
}

static void forget_bytes(struct races *r, struct races_granule *g,
			 uint8_t mask)
{
	if (mask == 0xff) {
		forget_granule(r, g);
		return;
	}
	races__sync_trim(r, g, mask);
	races__trim(r, g, mask);
}

/* The bytes from `first` to `last`, offsets in the unit. */
static void forget_in_unit(struct races *r, uint32_t unit, uint32_t first,
			   uint32_t last)
{
	struct races_granule *g = r->unit[unit].granule;
	uint32_t from = first >> RACES_GRANULE_SHIFT;
	uint32_t to = last >> RACES_GRANULE_SHIFT;

	for (uint32_t i = from; i <= to; i++) {
		uint32_t mask = 0xff;

		/* Reading only, where nothing was: pages stay untouched. */
		if (!g[i].first.mask && !g[i].link)
			continue;
		if (i == from)
			mask &= 0xffu << (first & 7);
		if (i == to)
			mask &= 0xffu >> (7 - (last & 7));
		forget_bytes(r, &g[i], (uint8_t)mask);
	}
}

/* The part of [addr, end] that lies in the unit. */
static void forget_key(struct races *r, uint32_t unit, uint64_t key,
		       uint64_t addr, uint64_t end)
{
	uint64_t base = key << RACES_UNIT_SHIFT;
	uint64_t top = base + (1u << RACES_UNIT_SHIFT) - 1;

	forget_in_unit(r, unit, addr > base ? (uint32_t)(addr - base) : 0,
		       (uint32_t)((end < top ? end : top) - base));
}

void races_forget(struct races *r, uint64_t addr, uint64_t bytes)
{
	const uint64_t *bucket = r->bucket + r->first_bucket;
	uint64_t end, first, last;

	if (!bytes || addr >= RACES_MAX_ADDR)
		return;
	end = bytes > RACES_MAX_ADDR - addr ? RACES_MAX_ADDR - 1 :
					      addr + bytes - 1;
	first = addr >> RACES_UNIT_SHIFT;
	last = end >> RACES_UNIT_SHIFT;
	if (last - first < r->nr_buckets) {
		for (uint64_t key = first; key <= last; key++) {
			uint32_t unit = races__unit_find(r, key);

			if (unit)
				forget_key(r, unit, key, addr, end);
		}
		return;
	}
	/* A large mapping, hardly any of it touched: ask who is in it. */
	for (uint32_t i = 0; i < r->nr_buckets; i++) {
		uint64_t key = bucket[i] >> RACES_UNIT_BITS;

		if (bucket[i] && key >= first && key <= last)
			forget_key(r, bucket[i] & (RACES_MAX_UNITS - 1), key,
				   addr, end);
	}
}
