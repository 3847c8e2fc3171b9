/* SPDX-License-Identifier: MIT */
/*
 * patched.c - the tool's patches: into the target's code, and out of it again.
 *
 * The zygote patches; runs inherit that, and take patches back in their own
 * memory: of code that is private and hot, of code that the target is about to
 * write to, and where somebody is going to look: the handler of a fault finds
 * the original instruction at the address it is told, and may go on in the
 * middle of what was a patch. A patch that was taken back stays so for the run.
 *
 * Context: the zygote, or a run's only thread of the kernel.
 */
#include <linux/mman.h>

#include "preload/memory/access.h"
#include "preload/memory/calls.h"
#include "preload/clock/clock.h"
#include "preload/kernel/traps.h"

#define PAGE 4096ull
#define PROT_RX 5
#define PROT_RWX 7
#define CALL_BYTES 6u		/* of a trampoline: call *slot(%rip) */
/*
 * What a handler may decode: one instruction on each side of the pc. No patch
 * is longer, either.
 */
#define LOOKED_AT 16u

#define WINDOW_SITES 4096	/* looked at to find pages that lie together */

static_assert(sizeof(((struct instrument_site *)0)->original) <= LOOKED_AT,
	      "a patch that begins earlier cannot reach here");

/* By first site; in the memory of the run. */
static uint8_t is_restored[CONTROL_MAX_ACCESS];
static bool is_all_restored;
/* By first site: private, and taken out by the zygote. */
static uint8_t is_unpatched[CONTROL_MAX_ACCESS];
/* For the rest of the run, whatever is private or hot. */
static bool is_watching_all;
/* Out of use until there is a second task, and in which order that came. */
static uint8_t is_parked[CONTROL_MAX_ACCESS];
static uint32_t parked[CONTROL_MAX_ACCESS];
static uint32_t nr_parked;

/* ------------------------------------------------------------ writing */

/* Code that can be written for the moment: [start, end). */
struct window {
	uint64_t start, end;
	bool is_wide;		/* many sites will be written, in their order */
};

static uint64_t page_of(uint64_t addr)
{
	return addr & ~(PAGE - 1);
}

static uint64_t start_of(const struct instrument_site *i)
{
	return i->addr - i->lead;
}

static void close_window(struct window *w)
{
	if (w->end)
		sys_call3(__NR_mprotect, w->start, w->end - w->start, PROT_RX);
	w->start = w->end = 0;
}

/*
 * The pages of this site and, when many will follow, of those behind it, as far
 * as there are some in every page: two calls for many of them. Pages without
 * one may be no code, or not there.
 */
static bool open_window(struct window *w, const struct instrument_site *i,
			bool is_wide)
{
	const struct control *c = runtime_control;
	const struct instrument_site *last = c->access + c->nr_access;
	uint64_t end = start_of(i);

	close_window(w);
	w->start = page_of(end);
	if (!is_wide)
		last = i + 1;
	else if (last - i > WINDOW_SITES)
		last = i + WINDOW_SITES;
	for (; i < last && page_of(start_of(i)) <= end; i++)
		if (end < start_of(i) + i->nr_bytes)
			end = page_of(start_of(i) + i->nr_bytes - 1) + PAGE;
	if (sys_call3(__NR_mprotect, w->start, end - w->start, PROT_RWX) < 0)
		return false;
	w->end = end;
	return true;
}

static bool write_code(struct window *w, const struct instrument_site *i,
		       const uint8_t *code)
{
	uint64_t start = start_of(i);

	if ((start < w->start || start + i->nr_bytes > w->end) &&
	    !(w->is_wide && open_window(w, i, true)) &&
	    !open_window(w, i, false))
		return false;
	memcpy((void *)(uintptr_t)start, code, i->nr_bytes);
	return true;
}

static bool put(struct window *w, const struct instrument_site *i)
{
	return write_code(w, i, i->patched);
}

static bool take(struct window *w, const struct instrument_site *i)
{
	return write_code(w, i, i->original);
}

/* The file is what is there: as far as it is patched, or copied. */
static bool is_original(const struct instrument_site *i)
{
	uint32_t nr = i->lead + i->length;

	if (nr < i->nr_bytes)
		nr = i->nr_bytes;
	return !memcmp((void *)(uintptr_t)start_of(i), i->original, nr);
}

/* The first of the sites that share the patch. */
static uint32_t first_of(uint32_t site)
{
	while (runtime_control->access[site].is_second)
		site--;
	return site;
}

/* The accesses of one patch are private only together. */
static bool may_unpatch(uint32_t first)
{
	const struct control *c = runtime_control;
	uint32_t i = first;

	do {
		if (c->access_state[i] & (CONTROL_ACCESS_LEARNED |
					  CONTROL_ACCESS_ATOMIC) ||
		    c->access[i].flags & (INSTRUMENT_ATOMIC | INSTRUMENT_TSC))
			return false;
	} while (++i < c->nr_access && c->access[i].is_second);
	return true;
}

/* ---------------------------------------------------------- in a run */

static bool is_in_force(uint32_t first)
{
	if (is_all_restored || is_restored[first])
		return false;
	return is_watching_all || (!is_parked[first] && !is_unpatched[first]);
}

void access_unpatch(uint32_t site)
{
	uint32_t first = first_of(site);
	struct window w = { 0 };

	if (is_watching_all || !may_unpatch(first) || !is_in_force(first))
		return;
	take(&w, &runtime_control->access[first]);
	close_window(&w);
}

void access_park(uint32_t site)
{
	uint32_t first = first_of(site), i = first;
	struct window w = { 0 };

	if (is_watching_all || !is_in_force(first) || clock_has_slices())
		return;
	do {
		if (access_is_live(i) ||
		    runtime_control->access[i].flags & INSTRUMENT_TSC)
			return;
	} while (++i < runtime_control->nr_access &&
		 runtime_control->access[i].is_second);
	if (!take(&w, &runtime_control->access[first]))
		return;
	close_window(&w);
	is_parked[first] = 1;
	parked[nr_parked++] = first;
}

void access_second_task(void)
{
	struct window w = { 0 };

	while (nr_parked) {
		uint32_t first = parked[--nr_parked];

		is_parked[first] = 0;
		if (is_in_force(first))
			put(&w, &runtime_control->access[first]);
	}
	close_window(&w);
}

/* A probe has met a task in the middle of what the patch would be. */
static bool is_inside(const struct instrument_site *site)
{
	const struct scheduler *s = &runtime_control->scheduler;

	for (uint32_t i = 0; i < s->nr_live; i++) {
		const struct control_task *k = core_task(s->live[i]);

		if (k->uses_trap_frame &&
		    k->reg_ip - start_of(site) - 1 < site->nr_bytes - 1u)
			return true;
	}
	return false;
}

bool access_watch_all(void)
{
	const struct control *c = runtime_control;
	struct window w = { .is_wide = true };

	if (is_watching_all || !access_has_patches())
		return false;
	is_watching_all = true;
	for (uint32_t i = 0; i < c->nr_access; i++)
		if (!c->access[i].is_second && is_in_force(i) &&
		    !is_inside(&c->access[i]))
			put(&w, &c->access[i]);
	close_window(&w);
	return true;
}

uint32_t access_restore(uint64_t start, uint64_t end)
{
	const struct control *c = runtime_control;
	/* One that begins before `start` may reach into the range. */
	uint64_t first = start - (start < LOOKED_AT ? start : LOOKED_AT);
	struct window w = { .is_wide = end - start > 64 * PAGE };
	uint32_t nr = 0;

	for (uint32_t i = control_find_site(c, first); i < c->nr_access; i++) {
		const struct instrument_site *site = &c->access[i];

		if (site->is_second)
			continue;
		if (start_of(site) >= end)
			break;
		if (start_of(site) + site->nr_bytes <= start || is_restored[i])
			continue;
		if (is_in_force(i))
			take(&w, site);
		is_restored[i] = 1;
		nr++;
	}
	close_window(&w);
	return nr;
}

void access_restore_all(void)
{
	if (runtime_control->nr_access)
		access_restore(0, UINT64_MAX);
	is_all_restored = true;
}

bool access_has_patches(void)
{
	return runtime_control->nr_access && !is_all_restored;
}

void access_show_original(uint64_t pc)
{
	if (access_has_patches())
		access_restore(pc - LOOKED_AT, pc + LOOKED_AT);
}

void access_enter(uint64_t pc)
{
	const struct instrument_site *i;
	uint32_t at;

	if (!access_has_patches())
		return;
	at = control_find_site(runtime_control, pc - LOOKED_AT);
	for (; at < runtime_control->nr_access; at++) {
		i = &runtime_control->access[at];
		if (i->is_second)
			continue;
		if (start_of(i) >= pc)
			return;
		if (pc < start_of(i) + i->nr_bytes)
			access_restore(pc, pc + 1);
	}
}

/* The target is about to write to these pages, or they become others. */
static void give_back(uint64_t addr, uint64_t bytes)
{
	uint64_t end = (addr + bytes + PAGE - 1) & ~(PAGE - 1);

	if (access_has_patches() && end > addr)
		runtime_control->access_given_back +=
			access_restore(addr & ~(PAGE - 1), end);
}

int64_t access_mprotect(struct trap *t)
{
	if (t->arg[2] & 2 /* PROT_WRITE */)
		give_back(t->arg[0], t->arg[1]);
	return trap_pass(t);
}

int64_t access_munmap(struct trap *t)
{
	give_back(t->arg[0], t->arg[1]);
	return trap_pass(t);
}

/* ------------------------------------------------------- in the zygote */

static bool map_area(struct control *c, const struct control_area *a)
{
	int64_t r = sys_call6(__NR_mmap, a->base, a->bytes, PROT_RWX,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			      (uint64_t)-1, 0);
	uint64_t *slot = (uint64_t *)(uintptr_t)a->base;

	if ((uint64_t)r != a->base)
		return false;
	memcpy((void *)(uintptr_t)a->base, c->code + a->offset, a->bytes);
	slot[0] = (uintptr_t)access_entry;
	slot[1] = (uintptr_t)time_entry_rdtsc;
	slot[2] = (uintptr_t)time_entry_rdtscp;
	sys_call3(__NR_mprotect, a->base, a->bytes, PROT_RX);
	return true;
}

static bool has_area(const struct control *c, uint64_t ip)
{
	for (uint32_t i = 0; i < c->nr_areas; i++)
		if (ip - c->area[i].base < c->area[i].bytes)
			return true;
	return false;
}

void access_instrument(void)
{
	struct control *c = runtime_control;
	struct window w = { .is_wide = true };

	access_name_sites();
	calls_install();
	c->access_failed = 0;
	for (uint32_t i = 0; i < c->nr_areas; i++)
		if (!map_area(c, &c->area[i]))
			c->area[i].bytes = 0;
	for (uint32_t i = 0; i < c->nr_access; i++) {
		const struct instrument_site *site = &c->access[i];

		if (site->is_second)
			continue;
		if (has_area(c, site->trampoline) && is_original(site) &&
		    put(&w, site))
			continue;
		is_restored[i] = 1;
		c->access_failed++;
	}
	close_window(&w);
}

/*
 * Of a patch: what is private costs nothing, but where this run has to see it.
 */
static bool is_private(const struct control *c, uint32_t first)
{
	uint32_t i = first;

	if (!(c->access_start[i] & CONTROL_ACCESS_PRIVATE) ||
	    c->config.flags & CONTROL_F_WATCH_ALL)
		return false;
	if (!(c->config.flags & CONTROL_F_SHARED))
		return true;
	do {
		if (c->access_start[i] & CONTROL_ACCESS_SHARED)
			return false;
	} while (++i < c->nr_access && c->access[i].is_second);
	return true;
}

/*
 * Between runs: what the tool calls private costs nothing from now on, or is
 * watched again, for good or for this run only.
 */
void access_apply(void)
{
	static uint32_t version;
	static uint32_t was;
	struct control *c = runtime_control;
	struct window w = { .is_wide = true };
	uint32_t is = c->config.flags & (CONTROL_F_WATCH_ALL |
					 CONTROL_F_SHARED);

	calls_refresh();
	if (version == c->private_version && was == is)
		return;
	version = c->private_version;
	was = is;
	for (uint32_t i = 0; i < c->nr_access; i++) {
		bool is_out;

		if (c->access[i].is_second || is_restored[i])
			continue;
		is_out = is_private(c, i);
		if (is_out == is_unpatched[i])
			continue;
		if (is_out ? take(&w, &c->access[i]) : put(&w, &c->access[i]))
			is_unpatched[i] = is_out;
	}
	close_window(&w);
}

/* ---------------------------------------------------------- addresses */

bool access_is_trampoline(uint64_t ip)
{
	return runtime_control->nr_areas && has_area(runtime_control, ip);
}

/* The site whose trampoline is the last one at or before `ip`. */
static const struct instrument_site *find_trampoline(uint64_t ip)
{
	const struct control *c = runtime_control;
	const struct instrument_site *best = NULL;

	for (uint32_t i = 0; i < c->nr_access; i++)
		if (!c->access[i].is_second && c->access[i].trampoline <= ip &&
		    (!best || c->access[i].trampoline > best->trampoline))
			best = &c->access[i];
	return best;
}

static bool is_code(const uint8_t *code, const uint8_t *bytes, size_t nr)
{
	return !memcmp(code, bytes, nr);
}

/*
 * On a full stack the fault comes where the trampoline makes its call:
 * registers that it keeps there, as far as it came, are the program's again.
 */
static void leave_call(struct sigcontext *m)
{
	/* lea -128(%rsp), %rsp; push %rdi; push %rsi: see emit.c */
	static const uint8_t prologue[] = { 0x48, 0x8d, 0x64, 0x24, 0x80,
					    0x57, 0x56 };
	static const uint8_t call[] = { 0xff, 0x15 };
	const uint8_t *code = (const uint8_t *)(uintptr_t)m->rip;
	const uint64_t *sp = (const uint64_t *)(uintptr_t)m->rsp;

	if (is_code(code - 5, prologue, 6)) {
		m->rsp += ACCESS_RED_ZONE;
	} else if (is_code(code - 6, prologue, 7)) {
		m->rsp += ACCESS_RED_ZONE + 8;
	} else if (is_code(code, call, sizeof(call))) {
		m->rsi = sp[0];
		m->rdi = sp[1];
		m->rsp += ACCESS_RED_ZONE + 16;
	}
}

void access_leave_trampoline(struct sigcontext *m)
{
	const struct instrument_site *i;
	int place;

	/* Its first instruction pushes, too. */
	if (m->rip == (uintptr_t)access_entry) {
		m->rip = *(const uint64_t *)(uintptr_t)m->rsp - CALL_BYTES;
		m->rsp += 8;
	}
	if (!access_is_trampoline(m->rip))
		return;
	i = find_trampoline(m->rip);
	if (!i)
		return;
	place = instrument_place((const uint8_t *)(uintptr_t)i->trampoline,
				 m->rip - i->trampoline);
	if (place < 0)
		return;
	leave_call(m);
	m->rip = start_of(i) + ((uint32_t)place & ~INSTRUMENT_PLACE_PUSHED);
	if ((uint32_t)place & INSTRUMENT_PLACE_PUSHED)
		m->rsp += 8;
}

uint64_t access_int3_target(uint64_t ip)
{
	const struct control *c = runtime_control;
	uint32_t at = control_find_site(c, ip - 1);

	if (at == c->nr_access || c->access[at].addr != ip - 1 ||
	    c->access[at].patch != INSTRUMENT_INT3 || !is_in_force(at))
		return 0;
	return c->access[at].trampoline;
}
