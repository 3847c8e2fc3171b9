/* SPDX-License-Identifier: MIT */
/*
 * access.c - which of the target's code is watched, and which sites are live.
 */
#include "explorer/target/access.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "recorder/trace.h"

#define PAGE 4096ull
#define TOP 0x7ffffffff000ull	/* of what programs can map */
#define REACH 0x70000000ull	/* of a 32-bit displacement, with a margin */
#define HEAP_ROOM 0x40000000ull	/* that brk has at least */

/* --------------------------------------------------------------- scope */

static bool matches(const char *pattern, const char *path)
{
	return !fnmatch(pattern, path, 0) ||
	       !fnmatch(pattern, path_base(path), 0) ||
	       strstr(path, pattern);
}

static bool matches_any(const char *const *pattern, uint32_t nr,
			const char *path)
{
	for (uint32_t i = 0; i < nr; i++)
		if (matches(pattern[i], path))
			return true;
	return false;
}

/* The C library and what runs below it is never touched. */
static bool is_never(const char *path)
{
	static const char *const never[] = {
		"libc.so*", "libc-*.so", "ld-linux*", "ld-*.so*", "libpthread*",
		"libdl.so*", "librt.so*", "linux-vdso*", "\\[vdso]",
		"libexplore-preload.so", "libm.so*", "libm-*.so",
		"libgcc_s.so*", "ld-musl*", "libc.musl*",
	};

	return matches_any(never, sizeof(never) / sizeof(never[0]),
			   path_base(path)) || path[0] != '/';
}

/* Beside the program, or below the folder it is in. */
static bool is_beside(const char *path, const char *program)
{
	size_t n = (size_t)(path_base(program) - program);

	return n > 1 && !strncmp(path, program, n) &&
	       strncmp(program, "/usr/", 5) && strncmp(program, "/bin/", 5);
}

enum watch {
	WATCH_NOT,
	WATCH_ALL,
	WATCH_LOCKS,	/* for the order it makes; its atomics are operations */
	WATCH_ATOMICS,	/* for the order that its atomics make, nothing else */
};

/* Larger ones take too long to look through. */
#define MAX_ATOMICS_BYTES (2ull << 20)

static enum watch exact_watch(const struct access_scope *scope,
			      const char *path)
{
	for (uint32_t i = 0; i < scope->nr_paths; i++)
		if (!strcmp(scope->path[i], path))
			return scope->order_only[i] == INSTRUMENT_ORDER_LOCKS ?
				       WATCH_LOCKS :
			       scope->order_only[i] ? WATCH_ATOMICS : WATCH_ALL;
	return WATCH_NOT;
}

/*
 * Other libraries are no subject of the search. But those that make their own
 * locks make order, too, and so do reference counts; without it, what they
 * protect would be called a race.
 */
static enum watch how_to_watch(const struct access_scope *scope,
			       const struct control_module *m,
			       const char *path, const char *program)
{
	bool is_program = !m->path[0];

	if (scope->is_exact)
		return exact_watch(scope, path);
	if (is_never(path) ||
	    matches_any(scope->except, scope->nr_except, path))
		return WATCH_NOT;
	if (is_program || is_beside(path, program) ||
	    matches_any(scope->only, scope->nr_only, path))
		return WATCH_ALL;
	/* Its futexes are those of static variables' guards: interposed. */
	if (matches("libstdc++.so*", path))
		return WATCH_NOT;
	if (instrument_makes_locks(path))
		return WATCH_LOCKS;
	return m->end - m->start < MAX_ATOMICS_BYTES ? WATCH_ATOMICS
						     : WATCH_NOT;
}

/* ------------------------------------------------------- room for code */

struct gap {
	uint64_t start, end;
};

static uint64_t align_up(uint64_t x)
{
	return (x + PAGE - 1) & ~(PAGE - 1);
}

/* What is taken below the zygote's address space, from /proc. */
static struct gap *read_maps(int pid, uint32_t *nr)
{
	char path[64], line[512];
	struct gap *taken = NULL;
	FILE *f;

	*nr = 0;
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	while (fgets(line, sizeof(line), f)) {
		struct gap g;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &g.start, &g.end) != 2)
			continue;
		taken = xrealloc(taken, *nr + 1, sizeof(*taken));
		taken[(*nr)++] = g;
	}
	fclose(f);
	return taken;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a < b ? b - a : a - b;
}

static bool is_within_reach(uint64_t at, uint64_t bytes,
			    const struct control_module *m)
{
	return distance(at, m->start) < REACH && distance(at, m->end) < REACH &&
	       distance(at + bytes, m->start) < REACH &&
	       distance(at + bytes, m->end) < REACH;
}

/* The program's heap begins, sooner or later, behind what ends there. */
static bool is_heap_below(const struct control *c, uint64_t low)
{
	for (uint32_t i = 0; i < c->nr_modules; i++)
		if (!c->module[i].path[0] && low > c->module[i].start &&
		    low - c->module[i].start < REACH)
			return true;
	return false;
}

/*
 * Free room of that size, as near to the module as there is; but the heap shall
 * not grow into it: behind that, as far away as can be reached. 0: none.
 */
static uint64_t find_room(const struct control *c, const struct gap *taken,
			  uint32_t nr, const struct control_module *m,
			  uint64_t bytes)
{
	uint64_t best = 0;

	for (uint32_t i = 0; i <= nr; i++) {
		uint64_t low = i ? taken[i - 1].end + 0x10000 : 0x100000;
		uint64_t high = i < nr ? taken[i].start : TOP;
		uint64_t margin, at;

		/* The last one taken is the kernel's, out of reach. */
		if (high > TOP)
			high = TOP;
		/* The heap grows up, the stack and mappings grow down. */
		margin = high <= m->start ? 0x100000 : 0x1000000;
		if (i && is_heap_below(c, taken[i - 1].end)) {
			if (high > m->start + REACH - PAGE)
				high = m->start + REACH - PAGE;
			if (high < low + bytes + HEAP_ROOM)
				continue;
			low = (high - bytes) & ~(PAGE - 1);
			margin = 0;
		}
		if (high < low + bytes + margin)
			continue;
		at = high <= m->start ? (high - bytes - 0x80000) & ~(PAGE - 1)
				      : align_up(low);
		if (is_within_reach(at, bytes, m) &&
		    (!best ||
		     distance(at, m->start) < distance(best, m->start)))
			best = at;
	}
	return best;
}

/* ------------------------------------------------------------- planning */

static int compare_modules(const void *a, const void *b)
{
	const struct control_module *x = *(struct control_module *const *)a;
	const struct control_module *y = *(struct control_module *const *)b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void add_stats(struct access_stats *s, const struct instrument_plan *p)
{
	s->nr_modules++;
	s->nr_functions += p->nr_functions;
	s->nr_sites += p->nr_sites - p->nr_tsc;
	s->nr_jumps += p->nr_jumps - p->nr_tsc;
	s->nr_int3 += p->nr_int3;
	s->nr_without_ranges += p->has_no_ranges;
	for (int i = 0; i < INSTRUMENT_SKIP_NR; i++)
		s->skipped[i] += p->skipped[i];
}

/* Append one module's plan to what the control region holds. */
static int take_plan(struct control *c, const struct instrument_plan *p,
		     uint64_t base, uint64_t *used)
{
	uint64_t bytes = align_up(p->code_bytes);

	if (!p->nr_sites)
		return 0;
	if (c->nr_areas == CONTROL_MAX_AREAS ||
	    *used + bytes > CONTROL_CODE_BYTES)
		return -E2BIG;
	memcpy(c->code + *used, p->code, p->code_bytes);
	memcpy(&c->access[c->nr_access], p->site,
	       p->nr_sites * sizeof(p->site[0]));
	c->area[c->nr_areas++] = (struct control_area){ base, bytes, *used };
	c->nr_access += p->nr_sites;
	*used += bytes;
	return 0;
}

static void mark_order_only(struct control *c, uint32_t first, enum watch how)
{
	for (uint32_t i = first; i < c->nr_access; i++)
		c->access[i].order_only = how == WATCH_LOCKS ?
						  INSTRUMENT_ORDER_LOCKS :
						  INSTRUMENT_ORDER_SILENT;
}

static int plan_module(struct control *c, const struct control_module *m,
		       const char *path, enum watch how, int pid,
		       uint64_t *used, struct access_stats *stats,
		       struct errbuf *err)
{
	struct instrument_plan plan = { 0 };
	/* Three bytes for one of code is what is used of it. */
	uint64_t room = (m->end - m->start) * 8 + (1 << 20);
	uint32_t max_sites = CONTROL_FIRST_CALL - c->nr_access;
	struct gap *taken;
	uint32_t nr;
	int rc;

	/* Libraries that were asked for may come behind. */
	if (how != WATCH_ALL)
		max_sites /= 2;
	if (room > CONTROL_CODE_BYTES - *used)
		room = CONTROL_CODE_BYTES - *used;
	taken = read_maps(pid, &nr);
	/* Rooms of earlier modules are not mapped yet. */
	taken = xrealloc(taken, nr + c->nr_areas + 1, sizeof(*taken));
	for (uint32_t i = 0; i < c->nr_areas; i++) {
		struct gap g = { c->area[i].base,
				 c->area[i].base + c->area[i].bytes };
		uint32_t at = nr++;

		for (; at && taken[at - 1].start > g.start; at--)
			taken[at] = taken[at - 1];
		taken[at] = g;
	}
	struct instrument_input in = {
		.path = path,
		.bias = m->bias,
		.code_base = find_room(c, taken, nr, m, room),
		.code_bytes = room,
		.first_site = c->nr_access,
		.max_sites = max_sites,
		.only_atomics = how == WATCH_ATOMICS,
		.has_tsc = true,
	};
	free(taken);
	in.entry_slot = in.code_base;
	if (!in.code_base) {
		stats->nr_without_room++;
		return 0;
	}
	rc = instrument_plan(&in, &plan, err);
	if (!rc && how != WATCH_ALL) {
		/* What has no room is left alone. */
		if (!take_plan(c, &plan, in.code_base, used) &&
		    plan.nr_sites > plan.nr_tsc)
			stats->nr_order_only++;
		mark_order_only(c, in.first_site, how);
	} else if (!rc) {
		add_stats(stats, &plan);
		rc = take_plan(c, &plan, in.code_base, used);
		if (rc)
			errbuf_addf(err, "'%s' has more code than can be "
				    "instrumented", path);
	}
	instrument_plan_release(&plan);
	return rc;
}

int access_plan(struct control *c, const struct access_scope *scope,
		const char *program, int pid, struct access_stats *stats,
		struct errbuf *err)
{
	struct control_module *sorted[CONTROL_MAX_MODULES];
	uint64_t used = 0;
	int rc = 0;

	memset(stats, 0, sizeof(*stats));
	for (uint32_t i = 0; i < c->nr_modules; i++)
		sorted[i] = &c->module[i];
	qsort(sorted, c->nr_modules, sizeof(sorted[0]), compare_modules);
	for (uint32_t i = 0; !rc && i < c->nr_modules; i++) {
		bool is_program = !sorted[i]->path[0];
		char *path = realpath(is_program ? program : sorted[i]->path,
				      NULL);
		enum watch how = path ? how_to_watch(scope, sorted[i], path,
						     program)
				      : WATCH_NOT;

		if (how != WATCH_NOT)
			rc = plan_module(c, sorted[i], path, how, pid, &used,
					 stats, err);
		free(path);
	}
	return rc;
}

/* -------------------------------------------------------------- numbers */

struct listing {
	FILE *f;
	uint32_t nr;		/* items printed */
};

static void print_item(struct listing *l, uint32_t count, const char *what)
{
	if (count)
		fprintf(l->f, "%s%s (%u)",
			l->nr++ ? ", " : "  not watched: ", what, count);
}

void access_print_stats(FILE *f, const struct access_stats *s,
			const struct control *c, uint32_t nr_live)
{
	struct listing l = { .f = f };

	fprintf(f, "  %u access%s watched in %u function%s (%u by jump, %u by "
		"trap): %u proved private, %u live\n", s->nr_sites,
		s->nr_sites == 1 ? "" : "es", s->nr_functions,
		s->nr_functions == 1 ? "" : "s", s->nr_jumps, s->nr_int3,
		c->nr_private, nr_live);
	print_item(&l, s->skipped[INSTRUMENT_SKIP_FRAME] +
		   s->skipped[INSTRUMENT_SKIP_TLS] +
		   s->skipped[INSTRUMENT_SKIP_READ_ONLY],
		   "accesses to private data or constants");
	for (int i = INSTRUMENT_SKIP_READ_ONLY + 1; i < INSTRUMENT_SKIP_NR; i++)
		print_item(&l, s->skipped[i],
			   instrument_skip_text((enum instrument_skip)i));
	print_item(&l, c->access_failed, "accesses that could not be patched");
	print_item(&l, s->nr_without_ranges, "files without .eh_frame");
	print_item(&l, s->nr_without_room,
		   "files with no room for code near them");
	if (l.nr)
		fputc('\n', f);
	if (s->nr_order_only)
		fprintf(f, "  %u librar%s watched, too, for the order that %s "
			"atomics make\n", s->nr_order_only,
			s->nr_order_only == 1 ? "y" : "ies",
			s->nr_order_only == 1 ? "its" : "their");
}

/* ------------------------------------------------- what a run begins with */

void access_rewind(struct control *c)
{
	uint32_t calls = 2 * c->nr_calls;

	memcpy(c->access_state, c->access_start, c->nr_access);
	memcpy(&c->access_state[CONTROL_FIRST_CALL],
	       &c->access_start[CONTROL_FIRST_CALL], calls);
	c->nr_calls = c->nr_start_calls;
	c->nr_races = c->nr_start_races;
	c->nr_atomic_pairs = 0;
	if (!(c->config.flags & CONTROL_F_SHARED))
		return;
	for (uint32_t i = control_first_site(c); i < control_end_site(c);
	     i = control_next_site(c, i))
		if (c->access_state[i] & CONTROL_ACCESS_SHARED)
			c->access_state[i] |= CONTROL_ACCESS_LIVE;
}

void access_keep_atomic(struct control *c)
{
	for (uint32_t i = control_first_site(c); i < control_end_site(c);
	     i = control_next_site(c, i))
		c->access_start[i] |= c->access_state[i] &
				      CONTROL_ACCESS_ATOMIC;
	c->nr_start_calls = c->nr_calls;
	c->nr_start_races = c->nr_races;
}

bool access_is_watched(const struct control *c, uint64_t start, uint64_t end,
		       uint32_t *order_only)
{
	*order_only = 0;
	for (uint32_t i = 0; i < c->nr_access; i++)
		if (c->access[i].addr >= start && c->access[i].addr < end) {
			*order_only = c->access[i].order_only;
			return true;
		}
	return false;
}

static int compare_addresses(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* What of a run's first state decides what it does. */
#define DECIDES (CONTROL_ACCESS_LIVE | CONTROL_ACCESS_LEARNED |	\
		 CONTROL_ACCESS_ATOMIC | CONTROL_ACCESS_PRIVATE |	\
		 CONTROL_ACCESS_SHARED)

static bool is_live(const struct control *c, uint32_t i)
{
	uint8_t live = CONTROL_ACCESS_LIVE;

	if (c->config.flags & CONTROL_F_SHARED)
		live |= CONTROL_ACCESS_SHARED;
	return c->access_start[i] & live;
}

uint64_t *access_live_sites(const struct control *c, uint32_t *nr)
{
	uint64_t *site = NULL;

	*nr = 0;
	for (uint32_t i = control_first_site(c); i < control_end_site(c);
	     i = control_next_site(c, i)) {
		if (!is_live(c, i))
			continue;
		if (*nr && site[*nr - 1] == c->access[i].addr)
			continue;
		site = xrealloc(site, *nr + 1, sizeof(*site));
		site[(*nr)++] = c->access[i].addr;
	}
	if (*nr)
		qsort(site, *nr, sizeof(*site), compare_addresses);
	return site;
}

struct trace_site *access_sites(const struct control *c, uint32_t *nr)
{
	struct trace_site *site = xcalloc(1, sizeof(*site));

	*nr = 0;
	for (uint32_t i = control_first_site(c); i < control_end_site(c);
	     i = control_next_site(c, i)) {
		uint8_t state = c->access_start[i] & DECIDES;
		uint64_t addr = c->access[i].addr;

		/*
		 * Where one instruction has two, their order tells them apart.
		 */
		if (!state && !(*nr && site[*nr - 1].addr == addr) &&
		    !(i + 1 < c->nr_access && c->access[i + 1].addr == addr &&
		      c->access_start[i + 1] & DECIDES))
			continue;
		site = xrealloc(site, *nr + 1, sizeof(*site));
		site[(*nr)++] = (struct trace_site){ addr, state };
	}
	return site;
}

static bool contains(const uint64_t *site, uint32_t nr, uint64_t addr)
{
	uint32_t low = 0;

	while (low < nr) {
		uint32_t middle = low + (nr - low) / 2;

		if (site[middle] == addr)
			return true;
		if (site[middle] < addr)
			low = middle + 1;
		else
			nr = middle;
	}
	return false;
}

/* The number of the call at addr, or nr_calls. */
static uint32_t find_call(const struct control *c, uint64_t addr)
{
	uint32_t k = 0;

	while (k < c->nr_calls &&
	       c->access[control_call_site(k, false)].addr != addr)
		k++;
	return k;
}

static bool has_instruction(const struct control *c, uint64_t addr)
{
	uint32_t low = control_find_site(c, addr);

	return low < c->nr_access && c->access[low].addr == addr;
}

static void add_call(struct control *c, uint64_t addr)
{
	if (c->nr_calls < CONTROL_MAX_CALLS &&
	    find_call(c, addr) == c->nr_calls)
		control_add_call(c, addr);
}

/*
 * Calls are not planned: they are known once a run has met them. Whether the
 * address is that of a read or a write will show then.
 */
static void add_missing_calls(struct control *c, const uint64_t *site,
			      uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (!site[i] || has_instruction(c, site[i]))
			continue;
		add_call(c, site[i]);
		add_call(c, site[i] + 1);
	}
}

uint32_t access_find_site(struct control *c, uint64_t pc, uint32_t site)
{
	bool is_write;
	uint32_t k;

	if (site < CONTROL_FIRST_CALL)
		return site;
	is_write = (site - CONTROL_FIRST_CALL) & 1;
	add_call(c, pc + is_write);
	c->nr_start_calls = c->nr_calls;
	k = find_call(c, pc + is_write);
	return k < c->nr_calls ? control_call_site(k, is_write) : UINT32_MAX;
}

/* Forget what the runs of another trace began with. */
static void clear_start(struct control *c)
{
	memset(c->access_start, 0, c->nr_access);
	memset(&c->access_start[CONTROL_FIRST_CALL], 0, 2ul * c->nr_calls);
	c->nr_start_races = 0;
	c->private_version++;
}

void access_set_live(struct control *c, const uint64_t *site, uint32_t nr)
{
	const uint8_t live = CONTROL_ACCESS_LIVE | CONTROL_ACCESS_LEARNED;
	uint64_t *sorted = xcalloc(nr + 1, sizeof(*sorted));

	/* Where addresses differ from the recorded ones, so may their order. */
	for (uint32_t i = 0; i < nr; i++)
		sorted[i] = site[i];
	qsort(sorted, nr, sizeof(*sorted), compare_addresses);
	clear_start(c);
	add_missing_calls(c, sorted, nr);
	c->nr_start_calls = c->nr_calls;
	for (uint32_t i = control_first_site(c); i < control_end_site(c);
	     i = control_next_site(c, i))
		if (contains(sorted, nr, c->access[i].addr))
			c->access_start[i] |= live;
	free(sorted);
}

static void set_call(struct control *c, const struct trace_site *s)
{
	for (uint32_t k = 0; k < c->nr_calls; k++)
		for (uint32_t w = 0; w < 2; w++) {
			uint32_t i = control_call_site(k, w);

			if (c->access[i].addr == s->addr)
				c->access_start[i] = (uint8_t)s->state;
		}
}

void access_set_sites(struct control *c, const struct trace_site *site,
		      uint32_t nr)
{
	clear_start(c);
	for (uint32_t i = 0; i < nr; i++)
		add_missing_calls(c, &site[i].addr, 1);
	c->nr_start_calls = c->nr_calls;
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t first = control_find_site(c, site[i].addr), nth = 0;

		/* Entries with one address stand for the sites that have it. */
		while (nth < i && site[i - nth - 1].addr == site[i].addr)
			nth++;
		if (first + nth < c->nr_access &&
		    c->access[first + nth].addr == site[i].addr)
			c->access_start[first + nth] = (uint8_t)site[i].state;
		else
			set_call(c, &site[i]);
	}
}
