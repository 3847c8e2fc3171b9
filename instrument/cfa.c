/* SPDX-License-Identifier: MIT */
/*
 * cfa.c - where the canonical frame address is at each instruction, from the
 * call frame instructions of .eh_frame. Only its rule is followed, not those
 * of the saved registers.
 */
#include "instrument/internal.h"
#include "instrument/frames.h"
#include "instrument/encoded.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#define MAX_REMEMBERED 16
#define DWARF_RBP 6
#define DWARF_RSP 7

struct machine {
	const struct cie *cie;
	struct cfa_table *table;
	struct cfa_row now;
	struct cfa_row remembered[MAX_REMEMBERED];
	size_t nr_remembered;
};

static int add_row(struct machine *vm)
{
	struct cfa_table *t = vm->table;

	if (t->nr && t->row[t->nr - 1].addr == vm->now.addr) {
		t->row[t->nr - 1] = vm->now;
		return 0;
	}
	if (module__grow(&t->row, sizeof(*t->row), t->nr, &t->max) < 0)
		return -ENOMEM;
	t->row[t->nr++] = vm->now;
	return 0;
}

static int advance(struct machine *vm, uint64_t units)
{
	int e = add_row(vm);

	vm->now.addr += units * vm->cie->code_align;
	return e;
}

static void set_base(struct machine *vm, uint64_t reg)
{
	vm->now.base = reg == DWARF_RSP ? CFA_RSP :
		       reg == DWARF_RBP ? CFA_RBP : CFA_UNKNOWN;
}

static void remember(struct machine *vm)
{
	if (vm->nr_remembered < MAX_REMEMBERED)
		vm->remembered[vm->nr_remembered] = vm->now;
	vm->nr_remembered++;
}

static void restore(struct machine *vm)
{
	uint64_t addr = vm->now.addr;

	if (!vm->nr_remembered) {
		vm->now.base = CFA_UNKNOWN;
		return;
	}
	vm->nr_remembered--;
	if (vm->nr_remembered < MAX_REMEMBERED)
		vm->now = vm->remembered[vm->nr_remembered];
	else
		vm->now.base = CFA_UNKNOWN;
	vm->now.addr = addr;
}

/* Instructions about other registers: their operands, to step over. */
static void skip_operands(struct cursor *c, uint8_t op)
{
	switch (op) {
	case DW_CFA_nop:
	case DW_CFA_GNU_window_save:
		break;
	case DW_CFA_undefined:
	case DW_CFA_same_value:
	case DW_CFA_restore_extended:
	case DW_CFA_GNU_args_size:
		cursor__uleb(c);
		break;
	case DW_CFA_offset_extended:
	case DW_CFA_offset_extended_sf:
	case DW_CFA_register:
	case DW_CFA_val_offset:
	case DW_CFA_val_offset_sf:
	case DW_CFA_GNU_negative_offset_extended:
		cursor__uleb(c);
		cursor__uleb(c);
		break;
	case DW_CFA_expression:
	case DW_CFA_val_expression:
		cursor__uleb(c);
		cursor__skip(c, cursor__uleb(c));
		break;
	default:
		c->is_bad = true;
		break;
	}
}

static int step_extended(struct machine *vm, struct cursor *c, uint8_t op)
{
	switch (op) {
	case DW_CFA_set_loc:
		c->is_bad = true;	/* not made by compilers here */
		return 0;
	case DW_CFA_advance_loc1:
		return advance(vm, cursor__fixed(c, 1));
	case DW_CFA_advance_loc2:
		return advance(vm, cursor__fixed(c, 2));
	case DW_CFA_advance_loc4:
		return advance(vm, cursor__fixed(c, 4));
	case DW_CFA_def_cfa:
		set_base(vm, cursor__uleb(c));
		vm->now.offset = (int64_t)cursor__uleb(c);
		return 0;
	case DW_CFA_def_cfa_sf:
		set_base(vm, cursor__uleb(c));
		vm->now.offset = cursor__sleb(c) * vm->cie->data_align;
		return 0;
	case DW_CFA_def_cfa_register:
		set_base(vm, cursor__uleb(c));
		return 0;
	case DW_CFA_def_cfa_offset:
		vm->now.offset = (int64_t)cursor__uleb(c);
		return 0;
	case DW_CFA_def_cfa_offset_sf:
		vm->now.offset = cursor__sleb(c) * vm->cie->data_align;
		return 0;
	case DW_CFA_def_cfa_expression:
		cursor__skip(c, cursor__uleb(c));
		vm->now.base = CFA_UNKNOWN;
		return 0;
	case DW_CFA_remember_state:
		remember(vm);
		return 0;
	case DW_CFA_restore_state:
		restore(vm);
		return 0;
	default:
		skip_operands(c, op);
		return 0;
	}
}

static int run(struct machine *vm, const uint8_t *code, const uint8_t *end)
{
	struct cursor c = { .at = code, .end = end };
	int e = 0;

	while (c.at < c.end && !c.is_bad && e == 0) {
		uint8_t op = (uint8_t)cursor__fixed(&c, 1);

		switch (op & 0xc0) {
		case DW_CFA_advance_loc:
			e = advance(vm, op & 0x3f);
			break;
		case DW_CFA_offset:
			cursor__uleb(&c);
			break;
		case DW_CFA_restore:
			break;
		default:
			e = step_extended(vm, &c, op);
			break;
		}
	}
	if (c.is_bad)
		vm->now.base = CFA_UNKNOWN;
	return e < 0 ? e : add_row(vm);
}

int cfa__read(const struct module *m, const struct function *f,
	      struct cfa_table *table)
{
	struct machine vm = {
		.cie = &m->cie[f->cie],
		.table = table,
		.now = { .addr = f->start },
	};
	int e;

	table->nr = 0;
	e = run(&vm, vm.cie->code, vm.cie->code_end);
	return e < 0 ? e : run(&vm, f->cfa_code, f->cfa_code_end);
}

const struct cfa_row *cfa__row(const struct cfa_table *table, uint64_t addr,
			       size_t *at)
{
	while (*at + 1 < table->nr && table->row[*at + 1].addr <= addr)
		(*at)++;
	return &table->row[*at];
}
