/* SPDX-License-Identifier: MIT */
/*
 * tables.c - code addresses that are data: symbols, relocated pointers, jump
 * tables.
 *
 * Switch tables come in two forms. Position-independent code has offsets of
 * 32 bits from the table's own start, which the function loads with lea; the
 * other has plain addresses of 64 bits in read-only data. Tables of labels
 * (`&&label`) are pointers, relocated ones in position-independent code, or
 * offsets from a label, which a lea in the same function loads.
 */
#include "instrument/internal.h"
#include "instrument/code.h"
#include "instrument/image.h"
#include "instrument/frames.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

/* ---- symbols and pointers, for the whole module ---- */

static void mark_symbols(const struct module *m, Elf_Data *data,
			 size_t nr)
{
	GElf_Sym sym;

	for (size_t i = 0; i < nr && i < INT32_MAX; i++)
		if (gelf_getsym(data, (int)i, &sym) &&
		    sym.st_shndx != SHN_UNDEF &&
		    GELF_ST_TYPE(sym.st_info) != STT_TLS)
			image__mark(&m->img, sym.st_value, LANDING_ROOT);
}

/*
 * Relative relocations have the address as their addend; of others, what
 * counts is at the symbol, which is marked, plus the addend: rare, and then
 * the addend is added to each symbol's value by the linker. Local symbols are
 * gone by then.
 */
static void mark_relocations(const struct module *m, Elf_Data *data,
			     size_t nr)
{
	GElf_Rela rela;

	for (size_t i = 0; i < nr && i < INT32_MAX; i++) {
		if (!gelf_getrela(data, (int)i, &rela))
			continue;
		switch (GELF_R_TYPE(rela.r_info)) {
		case R_X86_64_RELATIVE:
		case R_X86_64_IRELATIVE:
			image__mark(&m->img, (uint64_t)rela.r_addend,
				    LANDING_ROOT);
			break;
		default:
			break;
		}
	}
}

/*
 * Every aligned word of the data that is an address of code. In a program at
 * a fixed address nothing else shows them, and the words that packed
 * relocations (DT_RELR) name have the address in place, too.
 */
static void mark_words(const struct module *m, const struct segment *s)
{
	uint64_t at = (s->start + 7) & -8ULL;
	uint64_t value;

	for (; at + 8 <= s->file_end; at += 8) {
		memcpy(&value, s->bytes + (at - s->start), sizeof(value));
		if (value && image__is_code(&m->img, value) &&
		    !image__is_code(&m->img, at))
			image__mark(&m->img, value, LANDING_ROOT);
	}
}

static void mark_dynamic(const struct module *m, const GElf_Phdr *ph);

int tables__mark_pointers(const struct module *m)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Phdr ph;
	size_t nr;
	bool has_words = m->img.is_fixed || !m->img.nr_sections;

	while ((scn = elf_nextscn(m->img.elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || !sh.sh_entsize)
			continue;
		if (sh.sh_type == SHT_RELR)
			has_words = true;
		if (sh.sh_type != SHT_SYMTAB && sh.sh_type != SHT_DYNSYM &&
		    sh.sh_type != SHT_RELA)
			continue;
		data = elf_getdata(scn, NULL);
		if (!data)
			continue;
		nr = data->d_size / sh.sh_entsize;
		if (sh.sh_type == SHT_RELA)
			mark_relocations(m, data, nr);
		else
			mark_symbols(m, data, nr);
	}
	if (!m->img.nr_sections && elf_getphdrnum(m->img.elf, &nr) == 0)
		for (size_t i = 0; i < nr; i++)
			if (gelf_getphdr(m->img.elf, (int)i, &ph) &&
			    ph.p_type == PT_DYNAMIC)
				mark_dynamic(m, &ph);
	for (size_t i = 0; has_words && i < m->img.nr_segments; i++)
		mark_words(m, &m->img.segment[i]);
	return 0;
}

/* Without sections: the relocations that the dynamic section names. */
static void mark_dynamic(const struct module *m, const GElf_Phdr *ph)
{
	const uint8_t *at = image__bytes(&m->img, ph->p_vaddr, ph->p_filesz);
	uint64_t rela = 0, bytes = 0;
	Elf64_Dyn dyn;

	for (size_t i = 0; at && i < ph->p_filesz / sizeof(dyn); i++) {
		memcpy(&dyn, at + i * sizeof(dyn), sizeof(dyn));
		if (dyn.d_tag == DT_RELA)
			rela = dyn.d_un.d_ptr;
		if (dyn.d_tag == DT_RELASZ)
			bytes = dyn.d_un.d_val;
	}
	at = image__bytes(&m->img, rela, bytes);
	for (size_t i = 0; at && i < bytes / sizeof(Elf64_Rela); i++) {
		Elf64_Rela r;

		memcpy(&r, at + i * sizeof(r), sizeof(r));
		if (ELF64_R_TYPE(r.r_info) == R_X86_64_RELATIVE ||
		    ELF64_R_TYPE(r.r_info) == R_X86_64_IRELATIVE)
			image__mark(&m->img, (uint64_t)r.r_addend,
				    LANDING_ROOT);
	}
}

/* ---- jump tables, for one function ---- */

#define MAX_LOADS 256
#define MAX_TABLE_BYTES (1 << 18)

/* The addresses that a function loads with lea. */
struct loads {
	uint64_t table[MAX_LOADS];	/* of data */
	size_t nr_tables;
	uint64_t label[MAX_LOADS];	/* of the function's own code */
	size_t nr_labels;
	bool is_full;
};

static void add_load(uint64_t *list, size_t *nr, uint64_t addr, bool *is_full)
{
	for (size_t i = 0; i < *nr; i++)
		if (list[i] == addr)
			return;
	if (*nr == MAX_LOADS)
		*is_full = true;
	else
		list[(*nr)++] = addr;
}

static void sort_load(const struct module *m, const struct function *f,
		      uint64_t addr, struct loads *loads)
{
	if (addr >= f->start && addr < f->end) {
		image__mark(&m->img, addr, LANDING_ROOT);
		add_load(loads->label, &loads->nr_labels, addr,
			 &loads->is_full);
	} else if (image__is_code(&m->img, addr)) {
		image__mark(&m->img, addr, LANDING_ROOT);
		if (!module__function(m, addr))
			add_load(loads->table, &loads->nr_tables, addr,
				 &loads->is_full);
	} else if (image__segment(&m->img, addr)) {
		add_load(loads->table, &loads->nr_tables, addr,
			 &loads->is_full);
	}
}

/* Returns whether the function jumps through a register or memory. */
static bool find_loads(const struct module *m, const struct function *f,
		       struct loads *loads)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	bool is_indirect = false;

	for (uint32_t i = 0; i < f->nr_insns; i++) {
		uint64_t at = f->start + m->insn[f->first_insn + i].offset;
		const uint8_t *bytes = image__bytes(&m->img, at, 1);
		uint64_t target;

		if (m->insn[f->first_insn + i].kind == INSN_JMP_INDIRECT)
			is_indirect = true;
		/* lea, or a move of an immediate; a rex prefix before it */
		if ((*bytes & 0xf0) == 0x40)
			bytes++;
		if (*bytes != 0x8d && *bytes != 0xc7 &&
		    (*bytes & 0xf8) != 0xb8)
			continue;
		if (!code__at(m, at, f->end, &insn, op))
			continue;
		if (op[1].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    op[1].mem.type == ZYDIS_MEMOP_TYPE_AGEN &&
		    code__constant_address(&insn, &op[1].mem, at, &target))
			sort_load(m, f, target, loads);
		else if (op[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
			 m->img.is_fixed)
			sort_load(m, f, op[1].imm.value.u, loads);
	}
	return is_indirect;
}

/* The 32-bit offset at `at`, added to `base`. False: there is none. */
static bool read_offset(const struct module *m, uint64_t at, uint64_t base,
			uint64_t *target)
{
	const uint8_t *bytes = image__bytes(&m->img, at, 4);
	int32_t offset;

	if (!bytes)
		return false;
	memcpy(&offset, bytes, sizeof(offset));
	*target = base + (uint64_t)(int64_t)offset;
	return true;
}

static bool is_inside(const struct function *f, uint64_t addr)
{
	return addr >= f->start && addr < f->end;
}

static int compare_heads(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Tables that a function loads and whose first entry leads into it. */
int tables__find_heads(struct module *m)
{
	for (size_t i = 0; i < m->nr_functions; i++) {
		const struct function *f = &m->function[i];
		struct loads loads = { .nr_tables = 0 };
		uint64_t target;

		if (f->is_skipped || !find_loads(m, f, &loads))
			continue;
		for (size_t k = 0; k < loads.nr_tables; k++) {
			if (!read_offset(m, loads.table[k], loads.table[k],
					 &target) || !is_inside(f, target))
				continue;
			if (module__grow(&m->head, sizeof(*m->head),
					 m->nr_heads, &m->max_heads) < 0)
				return -ENOMEM;
			m->head[m->nr_heads++] = loads.table[k];
		}
	}
	if (m->nr_heads)
		qsort(m->head, m->nr_heads, sizeof(*m->head), compare_heads);
	return 0;
}

/* Where a table at `table` ends at the latest: the next one begins. */
static uint64_t end_of_table(const struct module *m, uint64_t table)
{
	size_t low = 0, high = m->nr_heads;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->head[mid] <= table)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < m->nr_heads && m->head[low] - table < MAX_TABLE_BYTES)
		return m->head[low];
	return table + MAX_TABLE_BYTES;
}

/*
 * Take what lies at `table` for offsets from its start, as long as they give
 * code. Returns whether the first is in the function itself, as it is for a
 * table of this function.
 */
static bool mark_table(const struct module *m, const struct function *f,
		       uint64_t table)
{
	uint64_t end = end_of_table(m, table), target;
	bool is_own = false;

	for (uint64_t at = table; at + 4 <= end; at += 4) {
		if (!read_offset(m, at, table, &target) ||
		    !image__is_code(&m->img, target))
			break;
		image__mark(&m->img, target, LANDING_ROOT);
		if (is_inside(f, target))
			is_own = true;
	}
	return is_own;
}

/* The same for offsets from a label of the function, to others of it. */
static void mark_labels(const struct module *m, const struct function *f,
			uint64_t table, uint64_t label)
{
	uint64_t target;

	for (uint64_t at = table; at < table + MAX_TABLE_BYTES; at += 4) {
		if (!read_offset(m, at, label, &target) ||
		    !is_inside(f, target))
			break;
		image__mark(&m->img, target, LANDING_ROOT);
	}
}

/*
 * A sign-extending load of 32 bits with an index times 4: how an offset is
 * taken from a table. When none of the tables around is one, it has not been
 * understood.
 */
static bool loads_offset(const struct module *m, const struct function *f)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];

	for (uint32_t i = 0; i < f->nr_insns; i++) {
		uint64_t at = f->start + m->insn[f->first_insn + i].offset;

		if (!(m->insn[f->first_insn + i].flags & INSN_MEMORY) ||
		    !code__at(m, at, f->end, &insn, op))
			continue;
		if (insn.mnemonic == ZYDIS_MNEMONIC_MOVSXD &&
		    op[1].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    op[1].mem.scale == 4)
			return true;
	}
	return false;
}

void tables__mark_jumps(const struct module *m, struct function *f)
{
	struct loads loads = { .nr_tables = 0 };
	bool has_table = false;

	if (!find_loads(m, f, &loads))
		return;
	for (size_t i = 0; i < loads.nr_tables; i++) {
		if (mark_table(m, f, loads.table[i]))
			has_table = true;
		for (size_t k = 0; k < loads.nr_labels; k++)
			mark_labels(m, f, loads.table[i], loads.label[k]);
	}
	/* Arithmetic on code addresses: anything is possible. */
	if (loads.nr_labels || loads.is_full ||
	    (!has_table && loads_offset(m, f)))
		f->is_opaque = true;
}
