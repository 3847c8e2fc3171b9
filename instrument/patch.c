/* SPDX-License-Identifier: MIT */
/*
 * patch.c - how each candidate is reached: a jump where there is room, else a
 * trap; and its trampoline.
 */
#include "instrument/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define JUMP_BYTES 5
/* The runtime takes a patch for one site, or two next to each other. */
#define MAX_SITES 2

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

/* May follow another instruction into a trampoline. */
static bool can_follow(const struct insn *insn)
{
	return insn->kind < INSN_CALL && (insn->flags & INSN_REACHED);
}

static bool ends_block(const struct insn *insn)
{
	return insn->kind != INSN_PLAIN;
}

/* Gather room for a jump. False: a trap has to do. */
static bool extend(const struct module *m, const struct function *f,
		   struct group *g)
{
	uint32_t end = f->first_insn + f->nr_insns;
	uint32_t at = g->first_insn;

	while (g->nr_bytes < JUMP_BYTES) {
		const struct insn *next = &m->insn[++at];

		if (at == end || f->is_opaque ||
		    ends_block(&m->insn[at - 1]) || !can_follow(next))
			return false;
		g->nr_bytes += next->length;
		g->nr_insns++;
	}
	return has_no_landing(m, g->addr, g->nr_bytes);
}

/* The candidates among the group's instructions; false: too many. */
static bool count_candidates(const struct candidates *found, struct group *g)
{
	unsigned int nr_sites = 0;
	size_t i = g->candidate;

	while (i < found->nr &&
	       found->item[i].insn < g->first_insn + g->nr_insns)
		nr_sites += found->item[i++].nr_accesses;
	g->nr_candidates = i - g->candidate;
	return nr_sites <= MAX_SITES;
}

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
			.is_second = i > 0 || c->insn != g->first_insn,
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

static int emit_group(struct module *m, const struct function *f,
		      const struct candidates *found, const struct group *g,
		      struct emitter *e)
{
	static const uint8_t jmp[] = { 0xe9 };
	const struct candidate *c = &found->item[g->candidate];
	const struct candidate *end = c + g->nr_candidates;
	const struct insn *last = NULL;
	int r = 0;

	for (unsigned int i = 0; i < g->nr_insns && r == 0; i++) {
		last = &m->insn[g->first_insn + i];
		if (c < end && c->insn == g->first_insn + i)
			r = emit_candidate(m, f, g, c++, e);
		else
			emit__moved(e, m, f->start + last->offset, last);
	}
	if (last->kind != INSN_JMP && last->kind != INSN_RET &&
	    last->kind != INSN_JMP_INDIRECT)
		emit__relative(e, jmp, sizeof(jmp),
			       g->addr + g->nr_bytes + e->bias);
	return r;
}

/* The code at the first site, before and after. */
static bool fill_patch(const struct module *m, const struct group *g,
		       struct instrument_site *site)
{
	int64_t distance = (int64_t)(site->trampoline -
				     (site->addr + JUMP_BYTES));
	int32_t narrow = (int32_t)distance;

	memcpy(site->original, image__bytes(&m->img, g->addr, g->nr_bytes),
	       g->nr_bytes);
	memcpy(site->patched, site->original, sizeof(site->patched));
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
static int try_group(struct module *m, const struct function *f,
		     const struct candidates *found, const struct group *g,
		     struct emitter *e)
{
	struct instrument_plan *plan = m->plan;
	uint32_t first = plan->nr_sites;
	uint64_t used = e->used;
	int r = emit_group(m, f, found, g, e);

	if (r < 0)
		return r;
	for (uint32_t i = first; i < plan->nr_sites; i++)
		plan->site[i].trampoline = e->base + used;
	if (e->is_bad || plan->nr_sites > m->in->max_sites ||
	    !fill_patch(m, g, &plan->site[first])) {
		e->is_bad = false;
		e->used = used;
		plan->nr_sites = first;
		return 1;
	}
	if (g->patch == INSTRUMENT_JUMP)
		plan->nr_jumps += plan->nr_sites - first;
	else
		plan->nr_int3 += plan->nr_sites - first;
	return 0;
}

int patch__function(struct module *m, const struct function *f,
		    const struct candidates *found, struct emitter *e)
{
	int r = 0;

	for (size_t i = 0; i < found->nr && r >= 0;) {
		struct group g = {
			.first_insn = found->item[i].insn,
			.candidate = i,
			.nr_insns = 1,
			.patch = INSTRUMENT_JUMP,
		};
		struct group alone;

		g.addr = addr_of(m, f, g.first_insn);
		g.nr_bytes = m->insn[g.first_insn].length;
		alone = g;
		alone.patch = INSTRUMENT_INT3;
		alone.nr_candidates = 1;
		if (extend(m, f, &g) && count_candidates(found, &g)) {
			r = try_group(m, f, found, &g, e);
			if (r == 0)
				i += g.nr_candidates;
			if (r <= 0)
				continue;
		}
		r = try_group(m, f, found, &alone, e);
		if (r > 0)
			m->plan->skipped[INSTRUMENT_SKIP_OTHER]++;
		i++;
	}
	return r < 0 ? r : 0;
}
