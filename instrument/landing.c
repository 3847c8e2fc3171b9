/* SPDX-License-Identifier: MIT */
/*
 * landing.c - where control may come in, and what it reaches from there.
 *
 * A patch may cover several instructions only when nobody jumps behind the
 * first. Direct branches tell where they go; the rest (switch tables, label
 * addresses, catch blocks) is marked generously: a mark too many costs one
 * int3, a mark too few would break the program.
 *
 * Instructions that nothing reaches may be data between the code, and are
 * left alone.
 */
#include "instrument/internal.h"
#include "instrument/emit.h"
#include "instrument/code.h"
#include "instrument/image.h"
#include "instrument/frames.h"

#include <errno.h>
#include <stdlib.h>

static bool is_padding(const ZydisDecodedInstruction *insn,
		       const uint8_t *bytes)
{
	return insn->meta.category == ZYDIS_CATEGORY_NOP ||
	       insn->meta.category == ZYDIS_CATEGORY_WIDENOP ||
	       insn->mnemonic == ZYDIS_MNEMONIC_INT3 ||
	       (!bytes[0] && !bytes[1]);
}

/* Branches of functions that could not be decoded, or that have no entry. */
static void mark_unlisted_range(const struct module *m, uint64_t at,
				uint64_t end)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	bool has_code = false;

	while (at < end && image__bytes(&m->img, at, end - at)) {
		if (!code__at(m, at, end, &insn, op)) {
			at++;
			continue;
		}
		if (!is_padding(&insn, image__bytes(&m->img, at, 1)))
			has_code = true;
		at += insn.length;
		if (insn.operand_count_visible &&
		    op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
		    op[0].imm.is_relative)
			image__mark(&m->img, at + op[0].imm.value.u,
				    LANDING_ROOT);
	}
	if (has_code)
		m->plan->skipped[INSTRUMENT_SKIP_UNLISTED]++;
}

/* [start, end) without the functions that were decoded. */
static void mark_unlisted(const struct module *m, uint64_t start, uint64_t end)
{
	uint64_t at = start;

	for (size_t i = 0; i < m->nr_functions; i++) {
		const struct function *f = &m->function[i];

		if (f->is_skipped || f->end <= at || f->start >= end)
			continue;
		if (f->start > at)
			mark_unlisted_range(m, at, f->start);
		at = f->end;
	}
	if (at < end)
		mark_unlisted_range(m, at, end);
}

static void mark_all_unlisted(const struct module *m)
{
	for (size_t i = 0; i < m->img.nr_sections; i++)
		if ((m->img.section[i].flags & SECTION_CODE) &&
		    !(m->img.section[i].flags & SECTION_PLT))
			mark_unlisted(m, m->img.section[i].start,
				      m->img.section[i].end);
	if (m->img.nr_sections)
		return;
	for (size_t i = 0; i < m->img.nr_segments; i++)
		if (m->img.segment[i].is_executable)
			mark_unlisted(m, m->img.segment[i].start,
				      m->img.segment[i].file_end);
}

static void mark_direct(const struct module *m, struct function *f)
{
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		const struct insn *insn = &m->insn[f->first_insn + i];

		if (insn->target)
			image__mark(&m->img, (uint64_t)insn->target, LANDING);
	}
	if (f->lsda && !lsda__mark(m, f))
		f->is_opaque = true;
	tables__mark_jumps(m, f);
}

/* ---- what can be reached ---- */

struct todo {
	uint32_t *insn;
	size_t nr, max;
};

static int push(struct module *m, struct todo *todo, long insn)
{
	if (insn < 0 || (m->insn[insn].flags & INSN_REACHED))
		return 0;
	m->insn[insn].flags |= INSN_REACHED;
	if (module__grow(&todo->insn, sizeof(*todo->insn), todo->nr,
			 &todo->max) < 0)
		return -ENOMEM;
	todo->insn[todo->nr++] = (uint32_t)insn;
	return 0;
}

static int push_target(struct module *m, struct todo *todo, uint64_t target)
{
	const struct function *f = module__function(m, target);

	image__mark(&m->img, target, LANDING_ENTERED);
	if (!f || f->is_skipped)
		return 0;
	return push(m, todo, module__insn(m, f, target));
}

static bool goes_on(const struct insn *insn)
{
	return insn->kind != INSN_JMP && insn->kind != INSN_RET &&
	       insn->kind != INSN_JMP_INDIRECT && insn->kind != INSN_END;
}

static int follow(struct module *m, struct todo *todo)
{
	int e = 0;

	while (todo->nr && e == 0) {
		uint32_t i = todo->insn[--todo->nr];

		if (m->insn[i].target)
			e = push_target(m, todo, (uint64_t)m->insn[i].target);
		/* offset 0: the next one starts another function */
		if (e == 0 && goes_on(&m->insn[i]) && i + 1 < m->nr_insns &&
		    m->insn[i + 1].offset)
			e = push(m, todo, i + 1);
	}
	return e;
}

static int find_reached(struct module *m)
{
	struct todo todo = { 0 };
	int e = 0;

	for (size_t i = 0; i < m->nr_functions && e == 0; i++) {
		const struct function *f = &m->function[i];

		for (uint32_t k = 0; k < f->nr_insns && e == 0; k++) {
			uint32_t nr = f->first_insn + k;

			if (k == 0 ||
			    image__is_marked(&m->img,
					     f->start + m->insn[nr].offset,
					     LANDING_ROOT))
				e = push(m, &todo, nr);
		}
		if (e == 0)
			e = follow(m, &todo);
	}
	free(todo.insn);
	return e;
}

/*
 * A branch into the middle of an instruction: the bytes were taken wrongly
 * apart, because there is data among them, or on purpose. Jumping over a lock
 * prefix is the one such thing that is common.
 */
static bool is_misread(const struct module *m, const struct function *f)
{
	for (uint32_t i = 0; i < f->nr_insns; i++) {
		const struct insn *insn = &m->insn[f->first_insn + i];
		uint64_t addr = f->start + insn->offset;
		const uint8_t *bytes = image__bytes(&m->img, addr, 1);

		for (unsigned int k = 1; k < insn->length; k++)
			if (image__is_marked(&m->img, addr + k,
					     LANDING_ENTERED) &&
			    !(k == 1 && *bytes == 0xf0))
				return true;
	}
	return false;
}

int landing__find(struct module *m)
{
	int e = tables__mark_pointers(m);

	if (e == 0)
		e = tables__find_heads(m);
	if (e < 0)
		return e;
	mark_all_unlisted(m);
	for (size_t i = 0; i < m->nr_functions; i++)
		if (!m->function[i].is_skipped)
			mark_direct(m, &m->function[i]);
	e = find_reached(m);
	for (size_t i = 0; i < m->nr_functions && e == 0; i++) {
		struct function *f = &m->function[i];

		if (!f->is_skipped && is_misread(m, f)) {
			f->is_skipped = true;
			m->plan->skipped[INSTRUMENT_SKIP_MISREAD]++;
		}
	}
	return e;
}
