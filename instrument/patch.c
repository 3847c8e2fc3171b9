/* SPDX-License-Identifier: MIT */
/*
 * patch.c - how each candidate is reached: a jump where there is room, else a
 * trap; and its trampoline.
 *
 * A jump takes five bytes. Where the instruction is shorter, those behind it in
 * its basic block move along, or, where the block ends too soon, those before
 * it. A call may be the last one: its return address is pushed as it was, so
 * the callee, unwinders and exceptions see the original program.
 */
#include "instrument/internal.h"
#include "instrument/emit.h"
#include "instrument/image.h"
#include "instrument/frames.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define JUMP_BYTES 5
#define MAX_BYTES 16	/* of a patch: instrument_site.original */

static_assert(sizeof(((struct instrument_site *)0)->original) == MAX_BYTES,
	      "room for a patch");

/* A planned patch: instructions that move together. */
struct group {
	uint64_t addr;		/* of the file */
	uint32_t first_insn;
	unsigned int nr_insns;
	unsigned int nr_bytes;
	enum instrument_patch patch;
	size_t candidate;	/* the first; the others follow */
	size_t nr_candidates;
};

/* The function at work. */
struct work {
	struct module *m;
	const struct function *f;
	const struct candidates *found;
	struct emitter *e;
	uint64_t free_from;	/* behind the patches so far */
};

static uint64_t addr_of(const struct module *m, const struct function *f,
			uint32_t insn)
{
	return f->start + m->insn[insn].offset;
}

/* Nobody jumps behind the first byte of [addr, addr + bytes). */
static bool has_no_landing(const struct module *m, uint64_t addr,
			   unsigned int bytes)
{
	for (unsigned int i = 1; i < bytes; i++)
		if (image__is_marked(&m->img, addr + i, LANDING))
			return false;
	return true;
}

/* ---- which instructions move ---- */

/* May follow another instruction into a trampoline. */
static bool can_follow(const struct work *w, uint32_t nr)
{
	const struct insn *insn = &w->m->insn[nr];

	if (w->f->is_opaque || !(insn->flags & INSN_REACHED))
		return false;
	return insn->kind < INSN_CALL ||
	       (insn->kind == INSN_CALL &&
		emit__can_move_call(w->m, addr_of(w->m, w->f, nr), insn));
}

static bool ends_block(const struct insn *insn)
{
	return insn->kind != INSN_PLAIN;
}

static bool append(const struct work *w, struct group *g)
{
	uint32_t next = g->first_insn + g->nr_insns;

	if (next == w->f->first_insn + w->f->nr_insns ||
	    ends_block(&w->m->insn[next - 1]) || !can_follow(w, next))
		return false;
	g->nr_bytes += w->m->insn[next].length;
	g->nr_insns++;
	return g->nr_bytes <= MAX_BYTES;
}

/* From `first` over `insn` until there is room for a jump. */
static bool gather(const struct work *w, uint32_t first, uint32_t insn,
		   struct group *g)
{
	g->first_insn = first;
	g->addr = addr_of(w->m, w->f, first);
	g->nr_insns = 1;
	g->nr_bytes = w->m->insn[first].length;
	while (g->nr_bytes < JUMP_BYTES || first + g->nr_insns <= insn)
		if (!append(w, g))
			return false;
	return has_no_landing(w->m, g->addr, g->nr_bytes);
}

/* The instruction before `first` may lead the patch. */
static bool can_lead(const struct work *w, uint32_t first)
{
	uint64_t addr;

	if (w->f->is_opaque || first == w->f->first_insn ||
	    ends_block(&w->m->insn[first - 1]) ||
	    !(w->m->insn[first - 1].flags & INSN_REACHED))
		return false;
	addr = addr_of(w->m, w->f, first - 1);
	return addr >= w->free_from;
}

/* A patch by jump for the candidate, with as little around as will do. */
static bool find_room(const struct work *w, uint32_t insn, struct group *g)
{
	for (uint32_t first = insn;; first--) {
		if (gather(w, first, insn, g))
			return true;
		if (!can_lead(w, first) ||
		    addr_of(w->m, w->f, insn) -
		    addr_of(w->m, w->f, first - 1) >= MAX_BYTES)
			return false;
	}
}

static size_t count_candidates(const struct work *w, const struct group *g)
{
	size_t i = g->candidate;

	while (i < w->found->nr &&
	       w->found->item[i].insn < g->first_insn + g->nr_insns)
		i++;
	return i - g->candidate;
}

/*
 * Take the candidates right behind along, as far as they would have no room
 * of their own.
 */
static void absorb(const struct work *w, struct group *g)
{
	for (;;) {
		size_t next = g->candidate + g->nr_candidates;
		uint32_t insn = g->first_insn + g->nr_insns;
		struct work behind = *w;
		struct group more = *g, own;

		behind.free_from = g->addr + g->nr_bytes;
		if (next == w->found->nr || w->found->item[next].insn != insn ||
		    find_room(&behind, insn, &own) || !append(w, &more) ||
		    !has_no_landing(w->m, more.addr, more.nr_bytes))
			return;
		*g = more;
		g->nr_candidates = count_candidates(w, g);
	}
}

/* ---- sites and trampolines ---- */

static int add_site(struct module *m, const struct instrument_site *site)
{
	struct instrument_plan *plan = m->plan;

	if (module__grow(&plan->site, sizeof(*plan->site), plan->nr_sites,
			 &m->max_sites) < 0)
		return -ENOMEM;
	plan->site[plan->nr_sites++] = *site;
	return 0;
}

/* The calls of one candidate and the instruction itself. */
static int emit_candidate(struct module *m, const struct function *f,
			  const struct group *g, const struct candidate *c,
			  struct emitter *e)
{
	const struct insn *insn = &m->insn[c->insn];
	uint64_t addr = addr_of(m, f, c->insn);
	uint32_t first = m->plan->nr_sites;
	int r = 0;

	emit__prologue(e);
	for (unsigned int i = 0; i < c->nr_accesses && r == 0; i++) {
		struct instrument_site site = {
			.addr = addr + e->bias,
			.size = c->access[i].size,
			.flags = c->access[i].flags,
			.patch = (uint8_t)g->patch,
			.length = insn->length,
		};

		memcpy(site.original, image__bytes(&m->img, addr,
						   insn->length),
		       insn->length);
		emit__call(e, &c->access[i], i,
			   m->in->first_site + m->plan->nr_sites);
		r = add_site(m, &site);
	}
	if (c->is_movs)
		emit__around(e, insn->length);
	emit__epilogue(e);
	for (uint32_t i = first; i < m->plan->nr_sites; i++)
		m->plan->site[i].moved = e->base + e->used;
	emit__moved(e, m, addr, insn);
	return r;
}

/* An rdtsc or rdtscp: a call instead of it. */
static int emit_stamp(struct module *m, const struct function *f,
		      const struct candidate *c, struct emitter *e)
{
	const struct insn *insn = &m->insn[c->insn];
	uint64_t addr = addr_of(m, f, c->insn);
	struct instrument_site site = {
		.addr = addr + e->bias,
		.flags = INSTRUMENT_TSC,
		.patch = INSTRUMENT_JUMP,
		.length = insn->length,
	};

	memcpy(site.original, image__bytes(&m->img, addr, insn->length),
	       insn->length);
	emit__stamp(e, insn->length);
	site.moved = e->base + e->used;
	return add_site(m, &site);
}

/* What instrument_place() looks at. */
struct places {
	uint64_t trampoline;	/* in the emitter's code */
	unsigned int nr, max;
};

static void reserve_places(struct emitter *e, unsigned int max,
			   struct places *p)
{
	static const uint8_t none[INSTRUMENT_PLACE_BYTES];

	for (unsigned int i = 0; i < max; i++)
		emit__bytes(e, none, sizeof(none));
	emit__bytes(e, none, 1);
	p->trampoline = e->used;
	p->nr = 0;
	p->max = max;
}

/* What is emitted next belongs to the instruction at `distance`. */
static void add_place(struct emitter *e, struct places *p,
		      unsigned int distance)
{
	uint64_t offset = e->used - p->trampoline;
	uint8_t *entry;

	if (e->is_bad || offset > UINT16_MAX || p->nr == p->max) {
		e->is_bad = true;
		return;
	}
	p->nr++;
	entry = e->code + p->trampoline - 1 - INSTRUMENT_PLACE_BYTES * p->nr;
	entry[0] = (uint8_t)offset;
	entry[1] = (uint8_t)(offset >> 8);
	entry[2] = (uint8_t)distance;
	e->code[p->trampoline - 1] = (uint8_t)p->nr;
}

static void emit_call(struct work *w, const struct group *g, uint32_t nr,
		      struct places *p)
{
	const struct insn *insn = &w->m->insn[nr];
	uint64_t addr = addr_of(w->m, w->f, nr);

	emit__push_return(w->e, addr + insn->length + w->e->bias);
	add_place(w->e, p, (unsigned int)(addr - g->addr) |
			   INSTRUMENT_PLACE_PUSHED);
	emit__called(w->e, w->m, addr, insn);
}

static bool goes_on(const struct insn *insn)
{
	return insn->kind != INSN_JMP && insn->kind != INSN_RET &&
	       insn->kind != INSN_JMP_INDIRECT && insn->kind != INSN_CALL;
}

static int emit_group(struct work *w, const struct group *g, struct places *p)
{
	static const uint8_t jmp[] = { 0xe9 };
	const struct candidate *c = &w->found->item[g->candidate];
	const struct candidate *end = c + g->nr_candidates;
	const struct insn *insn = NULL;
	int r = 0;

	for (unsigned int i = 0; i < g->nr_insns && r == 0; i++) {
		uint32_t nr = g->first_insn + i;

		insn = &w->m->insn[nr];
		add_place(w->e, p, (unsigned int)(addr_of(w->m, w->f, nr) -
						  g->addr));
		if (c < end && c->insn == nr && c->is_tsc)
			r = emit_stamp(w->m, w->f, c++, w->e);
		else if (c < end && c->insn == nr)
			r = emit_candidate(w->m, w->f, g, c++, w->e);
		else if (insn->kind == INSN_CALL)
			emit_call(w, g, nr, p);
		else
			emit__moved(w->e, w->m, w->f->start + insn->offset,
				    insn);
	}
	if (goes_on(insn)) {
		add_place(w->e, p, g->nr_bytes);
		emit__relative(w->e, jmp, sizeof(jmp),
			       g->addr + g->nr_bytes + w->e->bias);
	}
	return r;
}

/* The code at the patch, before and after, in its first site. */
static bool fill_patch(const struct work *w, const struct group *g,
		       struct instrument_site *site)
{
	uint64_t addr = g->addr + w->e->bias;
	int64_t distance = (int64_t)(site->trampoline - (addr + JUMP_BYTES));
	int32_t narrow = (int32_t)distance;
	/* A trap is compared with the file as far as it is moved, too. */
	const uint8_t *code = image__bytes(&w->m->img, g->addr, g->nr_bytes);

	memcpy(site->original, code, g->nr_bytes);
	memcpy(site->patched, site->original, sizeof(site->patched));
	site->lead = (uint8_t)(site->addr - addr);
	if (g->patch == INSTRUMENT_INT3) {
		site->nr_bytes = 1;
		site->patched[0] = 0xcc;
		return true;
	}
	site->nr_bytes = (uint8_t)g->nr_bytes;
	memset(site->patched, 0xcc, g->nr_bytes);
	site->patched[0] = 0xe9;
	memcpy(site->patched + 1, &narrow, sizeof(narrow));
	return narrow == distance;
}

/* Returns 1 when it does not work out, with everything as it was. */
static int try_group(struct work *w, const struct group *g)
{
	struct instrument_plan *plan = w->m->plan;
	uint32_t first = plan->nr_sites;
	uint64_t used = w->e->used;
	struct places p;
	int r;

	/* A call has two places, and there is the jump back. */
	reserve_places(w->e, g->nr_insns + 1, &p);
	r = emit_group(w, g, &p);
	if (r < 0)
		return r;
	for (uint32_t i = first; i < plan->nr_sites; i++) {
		plan->site[i].trampoline = w->e->base + p.trampoline;
		plan->site[i].is_second = i > first;
	}
	if (w->e->is_bad || plan->nr_sites > w->m->in->max_sites ||
	    !fill_patch(w, g, &plan->site[first])) {
		w->e->is_bad = false;
		w->e->used = used;
		plan->nr_sites = first;
		return 1;
	}
	if (g->patch == INSTRUMENT_JUMP)
		plan->nr_jumps += plan->nr_sites - first;
	else
		plan->nr_int3 += plan->nr_sites - first;
	for (uint32_t i = first; i < plan->nr_sites; i++)
		plan->nr_tsc += plan->site[i].flags == INSTRUMENT_TSC;
	w->free_from = g->addr + g->nr_bytes;
	return 0;
}

/* Candidate `i`, and those that come along. Returns how many, or -errno. */
static int patch_candidate(struct work *w, size_t i)
{
	uint32_t insn = w->found->item[i].insn;
	struct group g = {
		.candidate = i,
		.patch = INSTRUMENT_JUMP,
	};
	int r = 1;

	if (find_room(w, insn, &g)) {
		g.nr_candidates = count_candidates(w, &g);
		absorb(w, &g);
		r = try_group(w, &g);
		if (r == 0)
			return (int)g.nr_candidates;
	}
	if (r > 0 && w->found->item[i].is_tsc) {
		/* It traps where it is; what follows must not move it. */
		w->free_from = addr_of(w->m, w->f, insn) +
			       w->m->insn[insn].length;
		return 1;
	}
	if (r > 0) {
		g = (struct group){
			.addr = addr_of(w->m, w->f, insn),
			.first_insn = insn,
			.nr_insns = 1,
			.nr_bytes = w->m->insn[insn].length,
			.patch = INSTRUMENT_INT3,
			.candidate = i,
			.nr_candidates = 1,
		};
		r = try_group(w, &g);
	}
	if (r > 0)
		w->m->plan->skipped[INSTRUMENT_SKIP_ROOM]++;
	return r < 0 ? r : 1;
}

int patch__function(struct module *m, const struct function *f,
		    const struct candidates *found, struct emitter *e)
{
	struct work w = { .m = m, .f = f, .found = found, .e = e };

	for (size_t i = 0; i < found->nr;) {
		int r = patch_candidate(&w, i);

		if (r < 0)
			return r;
		i += (size_t)r;
	}
	return 0;
}
