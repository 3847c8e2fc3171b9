/* SPDX-License-Identifier: MIT */
/*
 * patch.c - system call sites that reach the runtime without a signal.
 *
 * A site that trapped once and reads
 *	syscall; cmp $-4095, %rax	(or -4096)
 * has eight bytes to take over: the cmp looks at the result, so no jump leads
 * to it past the syscall. The zygote replaces them, between runs, by a jump to
 * a trampoline nearby that calls trap_fast_entry() and then does the cmp
 * itself. What calls and returns look like stays the same, so nothing but
 * the price of a trap changes; the sites' addresses are used in traces in
 * either case.
 *
 * Context: patch_apply() runs in the zygote with no run alive; the rest runs
 * in trap handlers.
 */
#include <linux/mman.h>

#include "preload/kernel/traps.h"

#define SLOT_BYTES 64
#define AREA_BYTES 65536
#define SLOTS_PER_AREA (AREA_BYTES / SLOT_BYTES)
#define MAX_AREAS 8
#define REACH 0x70000000ll
#define HEAP_ROOM 0x40000000ull	/* that brk has at least */

/* A slot: the site's address, then code. CALL_END is where the call returns. */
#define CODE_OFFSET 8
#define CALL_END (CODE_OFFSET + 5 + 10 + 3)

struct area {
	uint64_t start;
	uint32_t nr_slots;
};

/* Private memory, changed in the zygote only; runs inherit it. */
static struct area areas[MAX_AREAS];
static uint32_t nr_areas;
static uint32_t nr_seen;	/* of control->site[] */

/* cmp $0xfffffffffffff001, %rax or ...000 */
static bool is_compare(const uint8_t *code)
{
	return code[0] == 0x48 && code[1] == 0x3d && code[2] <= 1 &&
	       code[3] == 0xf0 && code[4] == 0xff && code[5] == 0xff;
}

void patch_learn(uint64_t site)
{
	struct control *c = runtime_control;
	const uint8_t *code = (const void *)(uintptr_t)site;

	for (uint32_t i = c->nr_sites; i-- > 0;)
		if (c->site[i] == site)
			return;
	if (code[-2] != 0x0f || code[-1] != 0x05 || !is_compare(code))
		return;
	if (c->nr_sites < CONTROL_MAX_SITES)
		c->site[c->nr_sites++] = site;
}

static int64_t distance(uint64_t a, uint64_t b)
{
	int64_t d = (int64_t)(a - b);

	return d < 0 ? -d : d;
}

static bool reserve_near(uint64_t site, struct area *area)
{
	uint64_t base = site & ~(uint64_t)(AREA_BYTES - 1);
	uint64_t heap = (uint64_t)sys_call1(__NR_brk, 0);

	for (int64_t step = 0x100000; step < REACH; step += 0x400000)
		for (int sign = -1; sign <= 1; sign += 2) {
			uint64_t at = base + (uint64_t)(sign * step);
			int64_t r;

			if (at - heap < HEAP_ROOM)
				continue;
			r = sys_call6(__NR_mmap, at, AREA_BYTES, 7,
				      MAP_PRIVATE | MAP_ANONYMOUS |
					      MAP_FIXED_NOREPLACE,
				      (uint64_t)-1, 0);
			if (r < 0)
				continue;
			if ((uint64_t)r == at) {
				area->start = at;
				area->nr_slots = 0;
				return true;
			}
			sys_call2(__NR_munmap, r, AREA_BYTES);
		}
	return false;
}

static uint8_t *new_slot(uint64_t site)
{
	struct area *a = NULL;

	for (uint32_t i = 0; i < nr_areas; i++)
		if (distance(areas[i].start, site) < REACH &&
		    areas[i].nr_slots < SLOTS_PER_AREA)
			a = &areas[i];
	if (!a) {
		if (nr_areas == MAX_AREAS ||
		    !reserve_near(site, &areas[nr_areas]))
			return NULL;
		a = &areas[nr_areas++];
	}
	return (uint8_t *)(uintptr_t)(a->start + SLOT_BYTES * a->nr_slots++);
}

static uint8_t *emit(uint8_t *p, const void *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

static void write_slot(uint8_t *slot, uint64_t site)
{
	uint64_t entry = (uintptr_t)trap_fast_entry;
	uint8_t *p = slot;
	int32_t back;

	p = emit(p, &site, 8);
	p = emit(p, "\x48\x8d\x64\x24\x80", 5);	/* lea -128(%rsp), %rsp */
	p = emit(p, "\x49\xbb", 2);		/* movabs $entry, %r11 */
	p = emit(p, &entry, 8);
	p = emit(p, "\x41\xff\xd3", 3);		/* call *%r11 */
	/* here is CALL_END */
	p = emit(p, "\x48\x8d\xa4\x24\x80\x00\x00\x00", 8); /* lea 128(%rsp) */
	p = emit(p, "\x73\x02", 2);		/* jnc over the syscall */
	p = emit(p, "\x0f\x05", 2);		/* syscall */
	p = emit(p, (const void *)(uintptr_t)site, PATCH_CMP_BYTES);
	p = emit(p, "\xe9", 1);			/* jmp behind the site */
	back = (int32_t)(int64_t)(site + PATCH_CMP_BYTES -
				  ((uintptr_t)p + 4));
	emit(p, &back, 4);
}

static bool patch_site(uint64_t site)
{
	uint64_t first = (site - 2) & ~4095ull;
	uint64_t bytes =
		((site + PATCH_CMP_BYTES - 1) & ~4095ull) + 4096 - first;
	uint8_t *code = (uint8_t *)(uintptr_t)(site - 2), *slot;
	int32_t there;

	/* A run saw it; the zygote may have something else mapped there. */
	if (!is_compare(code + 2))
		return false;
	slot = new_slot(site);
	if (!slot || sys_call3(__NR_mprotect, first, bytes, 7) < 0)
		return false;
	write_slot(slot, site);
	there = (int32_t)(int64_t)((uintptr_t)slot + CODE_OFFSET -
				   (site - 2 + 5));
	code[0] = 0xe9;
	memcpy(code + 1, &there, 4);
	/* Nobody may land on what is left of the cmp. */
	memcpy(code + 5, "\x0f\x0b\x90", 3);
	sys_call3(__NR_mprotect, first, bytes, 5);
	return true;
}

/* Whether the zygote has code at `site`; runs may have loaded more. */
static bool is_mapped(uint64_t site)
{
	struct control *c = runtime_control;

	for (uint32_t i = 0; i < c->nr_modules; i++)
		if (site >= c->module[i].start && site + 8 < c->module[i].end)
			return true;
	return false;
}

void patch_apply(void)
{
	struct control *c = runtime_control;

	/* Only signals stop a counter. */
	if (c->config.clock.kind != CONTROL_CLOCK_SOFT)
		return;
	for (; nr_seen < c->nr_sites; nr_seen++)
		if (is_mapped(c->site[nr_seen]) && patch_site(c->site[nr_seen]))
			c->nr_patched++;
}

uint64_t patch_site_of(uint64_t ip)
{
	for (uint32_t i = 0; i < nr_areas; i++)
		if (ip - areas[i].start < AREA_BYTES)
			return *(uint64_t *)(uintptr_t)(ip &
							~(uint64_t)(SLOT_BYTES -
								    1));
	return 0;
}

/* The immediate that the site compares with: -4095 or -4096. */
int64_t patch_limit_of(uint64_t ip)
{
	/* In the slot, the cmp lies behind the syscall and before the jmp. */
	uint64_t slot = ip & ~(uint64_t)(SLOT_BYTES - 1);
	const uint8_t *cmp = (const void *)(uintptr_t)(slot + CALL_END + 12);

	return cmp[2] ? -4095 : -4096;
}

uint64_t patch_site_of_call(uint64_t return_address)
{
	return *(uint64_t *)(uintptr_t)(return_address - CALL_END);
}
