/* SPDX-License-Identifier: MIT */
/*
 * freed.c - heap memory that was given back: marks, places, quarantine.
 *
 * Marks are bits, one for 8 bytes, in a table of pages. What is said about a
 * block comes from a ring of the blocks that were freed last; a mark that has
 * outlived its entry there is as true as others, and told without places.
 */
#include "preload/memory/freed.h"

#include "preload/memory/access.h"

#define NR_PAGES 8192u		/* a power of two */
#define NR_PROBES 8u
#define PAGE_SHIFT 12
#define GRAIN_SHIFT 3
#define NR_GRAINS (1u << (PAGE_SHIFT - GRAIN_SHIFT))
#define NR_WORDS (NR_GRAINS / 64)
#define NR_FREED 8192u		/* a power of two */
#define MAX_MARKED (1u << 20)	/* bytes of a block; larger ones are unmapped */
#define MAX_HELD (256u << 10)	/* bytes of a block that is kept back */
#define QUARANTINE_BYTES (4u << 20)

struct page {
	uint64_t number;	/* 0: free entry */
	uint64_t bit[NR_WORDS];
};

struct freed {
	uint64_t addr, bytes;
	uint64_t alloc_pc, pc;
	uint32_t task;
	uint32_t is_held;	/* in quarantine */
};

uint16_t freed_filter[FREED_NR_FILTER];

static bool is_sound;
static struct page page[NR_PAGES];
static uint32_t nr_marked;	/* grains; 0 saves searches */
static struct freed freed[NR_FREED];
/*
 * Counted since the start; entries [nr_freed - NR_FREED, nr_freed) are there.
 */
static uint64_t nr_freed, nr_let_go;
static uint64_t held_bytes;

void freed_init(bool sound)
{
	is_sound = sound;
}

/* ---------------------------------------------------------------- marks */

static struct page *find_page(uint64_t number, bool makes)
{
	for (uint32_t i = 0; i < NR_PROBES; i++) {
		struct page *p = &page[(number + i) & (NR_PAGES - 1)];

		if (p->number == number)
			return p;
		if (p->number)
			continue;
		if (!makes)
			return NULL;
		p->number = number;
		return p;
	}
	return NULL;
}

static uint32_t count_bits(uint64_t word)
{
	uint32_t nr = 0;

	for (; word; word &= word - 1)
		nr++;
	return nr;
}

/* Bits [from, to) of the word that begins at bit `base`. */
static uint64_t mask_of(uint32_t base, uint32_t from, uint32_t to)
{
	uint64_t mask = ~0ull;

	if (to <= base || from >= base + 64)
		return 0;
	if (from > base)
		mask &= ~0ull << (from - base);
	if (to < base + 64)
		mask &= ~0ull >> (base + 64 - to);
	return mask;
}

enum change { SET, CLEAR, LOOK };

/* Returns whether there was a mark in [from, to) of the page's grains. */
static bool change_page(uint64_t number, uint32_t from, uint32_t to,
			enum change how)
{
	uint16_t *near = &freed_filter[number & (FREED_NR_FILTER - 1)];
	struct page *p = *near || how == SET ? find_page(number, how == SET) :
					       NULL;
	bool found = false;

	if (!p && how == SET)
		runtime_control->counters.freed_lost = 1;
	for (uint32_t w = 0; p && w < NR_WORDS; w++) {
		uint64_t mask = mask_of(w * 64, from, to);
		uint64_t was = p->bit[w];
		uint32_t nr;

		found |= (was & mask) != 0;
		if (how == LOOK || !mask)
			continue;
		p->bit[w] = how == SET ? was | mask : was & ~mask;
		nr = count_bits(was ^ p->bit[w]);
		nr = how == SET ? nr : -nr;
		*near = (uint16_t)(*near + nr);
		nr_marked += nr;
	}
	return found;
}

/* The grains that reach into [addr, addr + bytes). */
static bool change(uint64_t addr, uint64_t bytes, enum change how)
{
	uint64_t grain = addr >> GRAIN_SHIFT;
	uint64_t end = (addr + bytes + (1u << GRAIN_SHIFT) - 1) >> GRAIN_SHIFT;
	bool found = false;

	while (grain < end) {
		uint64_t number = grain / NR_GRAINS;
		uint32_t from = (uint32_t)(grain % NR_GRAINS);
		uint32_t to = end - grain < NR_GRAINS - from ?
			      from + (uint32_t)(end - grain) : NR_GRAINS;

		found |= change_page(number, from, to, how);
		grain += to - from;
	}
	return found;
}

/* More pages than there are entries: look at those that are in use. */
static void forget_much(uint64_t addr, uint64_t bytes)
{
	for (uint32_t i = 0; i < NR_PAGES; i++) {
		uint64_t at = page[i].number << PAGE_SHIFT;

		if (page[i].number && at + (1u << PAGE_SHIFT) > addr &&
		    at < addr + bytes)
			change_page(page[i].number, 0, NR_GRAINS, CLEAR);
	}
}

void freed_forget(uint64_t addr, uint64_t bytes)
{
	if (!nr_marked || !bytes)
		return;
	if (bytes >> PAGE_SHIFT < NR_PAGES)
		change(addr, bytes, CLEAR);
	else
		forget_much(addr, bytes);
}

bool freed_look(uint64_t addr, uint64_t bytes)
{
	return nr_marked && change(addr, bytes ? bytes : 1, LOOK);
}

/* ----------------------------------------------------------- quarantine */

uint64_t freed_next(bool all)
{
	while (nr_let_go < nr_freed) {
		struct freed *f = &freed[nr_let_go % NR_FREED];

		if (f->is_held && !all && held_bytes <= QUARANTINE_BYTES &&
		    nr_freed - nr_let_go < NR_FREED)
			return 0;
		nr_let_go++;
		if (!f->is_held)
			continue;
		f->is_held = 0;
		held_bytes -= f->bytes;
		return f->addr;
	}
	return 0;
}

bool freed_take(uint64_t addr, uint64_t bytes, uint64_t alloc_pc, uint64_t pc,
		bool is_gone)
{
	struct freed *f = &freed[nr_freed % NR_FREED];

	if (!is_sound || runtime_mode != RUNTIME_CONTROLLED ||
	    bytes > MAX_MARKED)
		return false;
	*f = (struct freed){
		.addr = addr,
		.bytes = bytes,
		.alloc_pc = alloc_pc,
		.pc = pc,
		.task = runtime_self(),
		.is_held = !is_gone && bytes <= MAX_HELD &&
			   runtime_control->config.flags &
				   CONTROL_F_QUARANTINE,
	};
	nr_freed++;
	if (f->is_held)
		held_bytes += bytes;
	change(addr, bytes, SET);
	return f->is_held;
}

/* -------------------------------------------------------------- findings */

/* The last one that had this memory; NULL: forgotten. */
static const struct freed *find_block(uint64_t addr)
{
	for (uint64_t i = 0; i < NR_FREED && i < nr_freed; i++) {
		const struct freed *f = &freed[(nr_freed - 1 - i) % NR_FREED];

		if (addr - f->addr < f->bytes || addr == f->addr)
			return f;
	}
	return NULL;
}

static _Noreturn void end_with(const char *what, const char *how, uint64_t addr,
			       uint32_t object, uint64_t pc)
{
	const struct freed *f = find_block(addr);
	char text[320], block[192] = "";

	if (f)
		runtime_format(block, sizeof(block), CONTROL_FREED_PRINT,
			       addr - f->addr, f->bytes, f->addr, f->alloc_pc,
			       (unsigned long)f->task, f->pc);
	runtime_format(text, sizeof(text), "%s: %s%s", what, how, block);
	runtime_control->verdict.addr = addr;
	runtime_end(CONTROL_VERDICT_MISUSE, 0, object, pc, text);
}

void freed_end(const char *what, uint64_t addr, uint32_t object, uint64_t pc)
{
	end_with("use after free", what, addr, object, pc);
}

void freed_check(const char *what, uint64_t addr, uint64_t pc)
{
	char text[160];
	uint64_t start;

	if (freed_has(addr, 1))
		end_with("double free", what, addr, 0, pc);
	start = is_sound ? blocks_around(addr) : 0;
	if (!start || start == addr)
		return;
	runtime_format(text, sizeof(text), "bad free: %s of 0x%lx, which is "
		       "%lu bytes into a block of %lu bytes", what, addr,
		       addr - start, blocks_bytes(start));
	runtime_end(CONTROL_VERDICT_MISUSE, 0, 0, pc, text);
}
