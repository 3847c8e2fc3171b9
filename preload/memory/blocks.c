/* SPDX-License-Identifier: MIT */
/*
 * blocks.c - the heap blocks of a run, to name the one a race is in.
 *
 * A table by address, of bounded size, in private memory. What is known of the
 * blocks lies side by side in the order in which they came, as a run pays for
 * each page that it touches; the table has numbers only. When it is full
 * around a place, the oldest there are forgotten, and a race in such a block
 * is reported without its name.
 */
#include "preload/memory/access.h"

#include "preload/arch/sys.h"

#define NR_BLOCKS (1u << 16)	/* a power of two */
#define NR_PROBES 8u
#define GRAIN 16u		/* what allocators align to */
#define MAX_BACK (1u << 20)	/* bytes to look back for a block's start */
#define NR_PAGES 4096u		/* a power of two */
#define NR_WORDS 12u		/* of the stack, for the caller of `new` */

struct block {
	uint64_t addr;		/* 0: free */
	uint64_t bytes;
	uint64_t pc;
	bool is_freed;		/* known until the memory is handed out anew */
};

static struct block block[NR_BLOCKS];	/* [0] is nobody's */
static uint32_t nr_used = 1;
static uint16_t table[NR_BLOCKS];	/* 0: free; never so again */
/* How many of them begin in a page; pages far apart share a number. */
static uint16_t nr_in_page[NR_PAGES];
static uint32_t next_victim;	/* 0: nothing was forgotten yet */

/* Neighbours in memory are neighbours here. */
static uint16_t *slot(uint64_t addr, uint32_t probe)
{
	return &table[(addr / GRAIN + probe) & (NR_BLOCKS - 1)];
}

static uint16_t *in_page(uint64_t addr)
{
	return &nr_in_page[addr >> 12 & (NR_PAGES - 1)];
}

static struct block *find(uint64_t addr)
{
	for (uint32_t i = 0; i < NR_PROBES; i++) {
		struct block *b = &block[*slot(addr, i)];

		if (b->addr == addr)
			return b;
	}
	return NULL;
}

static bool is_on(void)
{
	return runtime_mode == RUNTIME_CONTROLLED;
}

/* The bytes before a return address are a call. */
static bool is_behind_call(uint64_t pc)
{
	uint64_t bytes;

	if (!sys_load64((void *)(uintptr_t)(pc - 8), &bytes))
		return false;
	/* call rel32; call [rip + disp32]; call reg */
	return (bytes >> 24 & 0xff) == 0xe8 ||
	       (bytes >> 16 & 0xffff) == 0x15ff ||
	       (bytes >> 48 & 0xf8ff) == 0xd0ff;
}

/*
 * C++: operator new calls malloc, and its caller is of interest. It stands a
 * few words further up the stack.
 */
uint64_t blocks_caller(uint64_t pc, const uint64_t *stack)
{
	const struct control_module *m = &runtime_control->module[0];

	if (!stack || !runtime_control->nr_modules ||
	    (pc >= m->start && pc < m->end))
		return pc;
	for (uint32_t i = 0; i < NR_WORDS; i++)
		if (stack[i] >= m->start + 8 && stack[i] < m->end &&
		    is_behind_call(stack[i]))
			return stack[i];
	return pc;
}

/* A page that is read first, and written then, costs two page faults. */
static void touch(uint16_t *number)
{
	volatile uint16_t *at = number;

	*at = *at;
}

/* Where a new block can be written down; NULL: one has to be forgotten. */
static struct block *find_room(uint64_t addr)
{
	for (uint32_t i = 0; i < NR_PROBES; i++) {
		uint16_t *number = slot(addr, i);

		if (!*number && nr_used < NR_BLOCKS)
			*number = (uint16_t)nr_used++;
		else if (!*number || !block[*number].is_freed)
			continue;
		return &block[*number];
	}
	return NULL;
}

/* One of those around; what never had a number is passed over. */
static struct block *choose_victim(uint64_t addr)
{
	for (uint32_t i = 0; i < NR_PROBES; i++) {
		uint16_t number = *slot(addr, next_victim++ % NR_PROBES);

		if (number)
			return &block[number];
	}
	return NULL;
}

void blocks_note(uint64_t addr, uint64_t bytes, uint64_t pc,
		 const uint64_t *stack)
{
	struct block *b;

	if (!addr || !is_on())
		return;
	touch(slot(addr, 0));
	b = find(addr);
	if (!b)
		b = find_room(addr);
	if (!b)
		b = choose_victim(addr);
	if (!b)
		return;
	if (b->addr)
		--*in_page(b->addr);
	++*in_page(addr);
	*b = (struct block){ addr, bytes, blocks_caller(pc, stack), false };
}

void blocks_resize(uint64_t addr, uint64_t bytes)
{
	struct block *b = addr && is_on() ? find(addr) : NULL;

	if (b)
		b->bytes = bytes;
}

void blocks_drop(uint64_t addr)
{
	struct block *b = addr && is_on() ? find(addr) : NULL;

	if (b)
		b->is_freed = true;
}

uint64_t blocks_bytes(uint64_t addr)
{
	const struct block *b = is_on() ? find(addr) : NULL;

	return b && !b->is_freed ? b->bytes : 0;
}

uint64_t blocks_pc(uint64_t addr)
{
	const struct block *b = is_on() ? find(addr) : NULL;

	return b ? b->pc : 0;
}

/*
 * The nearest place at or before `at`, down to `end`, where a block may begin;
 * `end` when there is none. Most pages have no block at all.
 */
static uint64_t skip_pages(uint64_t at, uint64_t end)
{
	while (at > end && !*in_page(at)) {
		uint64_t page = at & ~4095ull;

		if (page <= end)
			return end;
		at = page - GRAIN;
	}
	return at;
}

/* A freed block names the memory as long as no live one has it. */
static const struct block *find_around(uint64_t addr)
{
	uint64_t at = addr & ~(uint64_t)(GRAIN - 1);
	uint64_t end = at > MAX_BACK ? at - MAX_BACK : 0;
	const struct block *found = NULL;

	while ((at = skip_pages(at, end)) > end) {
		const struct block *b = find(at);
		bool is_in = b && addr - b->addr < b->bytes;

		if (is_in && (!found || !b->is_freed))
			found = b;
		if (b && !b->is_freed)
			break;
		at -= GRAIN;
	}
	return found;
}

uint64_t blocks_around(uint64_t addr)
{
	const struct block *b = is_on() && !next_victim ? find_around(addr) :
							  NULL;

	return b && !b->is_freed ? b->addr : 0;
}

void blocks_describe(struct control_race *r)
{
	const struct block *found = find_around(r->addr);

	if (!found)
		return;
	r->block = found->addr;
	r->block_bytes = found->bytes;
	r->block_pc = found->pc;
}
