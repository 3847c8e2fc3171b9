/* SPDX-License-Identifier: MIT */
/*
 * test_invariants.c - what must hold for every plan, checked from the file
 * itself, with symbols where the planner uses unwind tables.
 *
 *	test_invariants FILE...
 */
#include <Zydis/Zydis.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "instrument/instrument.h"

#define CODE_BYTES (256ULL << 20)
#define RESERVED 64

struct range {
	uint64_t start, end;
};

struct file {
	int fd;
	Elf *elf;
	const uint8_t *bytes;
	size_t nr_bytes;
	struct range *function;		/* of symbols */
	size_t nr_functions;
	uint64_t *target;		/* of direct branches, ascending */
	size_t nr_targets, max_targets;
};

static ZydisDecoder decoder;
static unsigned int nr_failures;

__attribute__((format(printf, 2, 3)))
static void fail(uint64_t addr, const char *fmt, ...)
{
	va_list args;

	if (nr_failures++ > 20)
		return;
	printf("site %#lx: ", (unsigned long)addr);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

static int compare_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* ---- the file ---- */

static const uint8_t *at(const struct file *f, uint64_t addr, uint64_t bytes)
{
	GElf_Phdr ph;
	size_t nr = 0;

	elf_getphdrnum(f->elf, &nr);
	for (size_t i = 0; i < nr; i++)
		if (gelf_getphdr(f->elf, (int)i, &ph) &&
		    ph.p_type == PT_LOAD && (ph.p_flags & PF_X) &&
		    addr >= ph.p_vaddr &&
		    addr + bytes <= ph.p_vaddr + ph.p_filesz)
			return f->bytes + ph.p_offset + (addr - ph.p_vaddr);
	return NULL;
}

static void add_target(struct file *f, uint64_t target)
{
	if (f->nr_targets == f->max_targets) {
		f->max_targets = f->max_targets ? f->max_targets * 2 : 1024;
		f->target = realloc(f->target,
				    f->max_targets * sizeof(*f->target));
		if (!f->target)
			abort();
	}
	f->target[f->nr_targets++] = target;
}

static void read_function(struct file *f, const GElf_Sym *sym)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	const uint8_t *code = at(f, sym->st_value, sym->st_size);
	uint64_t offset = 0;

	if (!code)
		return;
	f->function[f->nr_functions++] = (struct range){
		sym->st_value, sym->st_value + sym->st_size
	};
	add_target(f, sym->st_value);
	while (offset < sym->st_size &&
	       ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code + offset,
						   sym->st_size - offset,
						   &insn, op))) {
		offset += insn.length;
		if (insn.operand_count_visible &&
		    op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
		    op[0].imm.is_relative)
			add_target(f, sym->st_value + offset +
				      op[0].imm.value.u);
	}
}

static void read_symbols(struct file *f)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Sym sym;

	while ((scn = elf_nextscn(f->elf, scn))) {
		Elf_Data *data;
		size_t nr;

		if (!gelf_getshdr(scn, &sh) || (sh.sh_type != SHT_SYMTAB &&
						sh.sh_type != SHT_DYNSYM))
			continue;
		data = elf_getdata(scn, NULL);
		nr = sh.sh_size / sh.sh_entsize;
		f->function = realloc(f->function, (f->nr_functions + nr) *
						   sizeof(*f->function));
		if (!f->function)
			abort();
		for (size_t i = 0; i < nr; i++)
			if (gelf_getsym(data, (int)i, &sym) &&
			    GELF_ST_TYPE(sym.st_info) == STT_FUNC &&
			    sym.st_shndx != SHN_UNDEF && sym.st_size)
				read_function(f, &sym);
	}
	if (f->nr_functions)
		qsort(f->function, f->nr_functions, sizeof(*f->function),
		      compare_number);
	if (f->nr_targets)
		qsort(f->target, f->nr_targets, sizeof(*f->target),
		      compare_number);
}

static bool open_file(struct file *f, const char *path)
{
	*f = (struct file){ .fd = open(path, O_RDONLY) };
	elf_version(EV_CURRENT);
	f->elf = elf_begin(f->fd, ELF_C_READ_MMAP, NULL);
	f->bytes = (const uint8_t *)elf_rawfile(f->elf, &f->nr_bytes);
	if (!f->elf || !f->bytes)
		return false;
	read_symbols(f);
	return true;
}

static void close_file(struct file *f)
{
	free(f->function);
	free(f->target);
	elf_end(f->elf);
	close(f->fd);
}

/* Some direct branch or symbol has its target in (first, end). */
static bool has_target(const struct file *f, uint64_t first, uint64_t end)
{
	size_t low = 0, high = f->nr_targets;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (f->target[mid] <= first)
			low = mid + 1;
		else
			high = mid;
	}
	return low < f->nr_targets && f->target[low] < end;
}

/* The patch starts in a symbol's function and ends behind it. */
static bool leaves_function(const struct file *f, uint64_t first,
			    uint64_t end)
{
	bool is_known = false;

	for (size_t i = 0; i < f->nr_functions; i++) {
		if (f->function[i].start > first)
			break;
		if (first >= f->function[i].end)
			continue;
		is_known = true;
		if (end <= f->function[i].end)
			return false;
	}
	return is_known;
}

/* ---- sites ---- */

static void check_patch(const struct file *f, const struct instrument_site *s,
			uint64_t bias)
{
	uint64_t start = s->addr - s->lead;
	const uint8_t *code = at(f, start - bias, s->nr_bytes);
	int32_t distance;

	if (!code || memcmp(code, s->original, s->nr_bytes) != 0) {
		fail(s->addr, "original bytes are not the file's");
		return;
	}
	if (s->patch == INSTRUMENT_INT3) {
		if (s->nr_bytes != 1 || s->lead || s->patched[0] != 0xcc)
			fail(s->addr, "bad trap");
		return;
	}
	if (s->nr_bytes < 5 || s->nr_bytes < s->lead + s->length ||
	    s->nr_bytes > sizeof(s->original) ||
	    s->patched[0] != 0xe9)
		fail(s->addr, "bad jump");
	memcpy(&distance, s->patched + 1, sizeof(distance));
	if (start + 5 + (uint64_t)(int64_t)distance != s->trampoline)
		fail(s->addr, "jumps elsewhere");
	for (unsigned int i = 5; i < s->nr_bytes; i++)
		if (s->patched[i] != 0xcc)
			fail(s->addr, "byte %u is not filled", i);
	if (has_target(f, start - bias, start - bias + s->nr_bytes))
		fail(s->addr, "something jumps into the patch");
	if (leaves_function(f, start - bias, start - bias + s->nr_bytes))
		fail(s->addr, "patch leaves the function");
}

static uint64_t relative_target(const ZydisDecodedInstruction *insn,
				const ZydisDecodedOperand *op, uint64_t addr)
{
	for (unsigned int i = 0; i < insn->operand_count_visible; i++) {
		if (op[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    op[i].mem.base == ZYDIS_REGISTER_RIP)
			return addr + insn->length +
			       (uint64_t)op[i].mem.disp.value;
		if (op[i].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
		    op[i].imm.is_relative)
			return addr + insn->length + op[i].imm.value.u;
	}
	return 0;
}

/* The moved instruction means at its new place what it meant at the old. */
static void check_moved(const struct instrument_plan *p,
			const struct instrument_site *s, uint64_t base)
{
	ZydisDecodedInstruction was, is;
	ZydisDecodedOperand was_op[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedOperand is_op[ZYDIS_MAX_OPERAND_COUNT];

	if (s->moved < s->trampoline ||
	    s->moved + s->length > base + p->code_bytes ||
	    !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder,
						 s->original + s->lead,
						 s->length, &was, was_op)) ||
	    !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder,
						 p->code + (s->moved - base),
						 s->length, &is, is_op))) {
		fail(s->addr, "the moved instruction is not there");
		return;
	}
	if (was.mnemonic != is.mnemonic || was.length != is.length ||
	    relative_target(&was, was_op, s->addr) !=
	    relative_target(&is, is_op, s->moved))
		fail(s->addr, "the moved instruction differs");
}

/* What a fault in the trampoline is told to be in. */
static void check_places(const struct instrument_plan *p,
			 const struct instrument_site *s, uint64_t base)
{
	const uint8_t *trampoline = p->code + (s->trampoline - base);
	const struct instrument_site *first = s;

	while (first->is_second)
		first--;
	if ((uint64_t)instrument_place(trampoline, s->moved - s->trampoline) !=
	    s->addr - (first->addr - first->lead))
		fail(s->addr, "a fault would come elsewhere");
}

/* From the trampoline to its jump back: decodable, with the call in it. */
static void check_trampoline(const struct instrument_plan *p, uint32_t nr,
			     uint64_t base, uint64_t entry)
{
	const struct instrument_site *s = &p->site[nr];
	uint64_t here = s->trampoline;
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	unsigned int nr_calls = 0, nr_sites = 1;
	bool is_end = false;

	while (nr + nr_sites < p->nr_sites && p->site[nr + nr_sites].is_second)
		nr_sites++;
	while (!is_end) {
		if (here < base + RESERVED || here >= base + p->code_bytes ||
		    !ZYAN_SUCCESS(ZydisDecoderDecodeFull(
			    &decoder, p->code + (here - base),
			    base + p->code_bytes - here, &insn, op))) {
			fail(s->addr, "the trampoline does not decode");
			return;
		}
		if (insn.mnemonic == ZYDIS_MNEMONIC_CALL) {
			nr_calls++;
			if (relative_target(&insn, op, here) != entry)
				fail(s->addr, "calls something else");
		}
		/* A short jump is the way around a movs. */
		is_end = (insn.mnemonic == ZYDIS_MNEMONIC_JMP &&
			  insn.opcode != 0xeb) ||
			 insn.mnemonic == ZYDIS_MNEMONIC_RET;
		here += insn.length;
	}
	if (nr_calls != nr_sites)
		fail(s->addr, "%u calls for %u sites", nr_calls, nr_sites);
}

static void check_site(const struct file *f, const struct instrument_plan *p,
		       uint32_t nr, const struct instrument_input *in)
{
	const struct instrument_site *s = &p->site[nr];
	const struct instrument_site *before = nr ? s - 1 : NULL;

	check_moved(p, s, in->code_base);
	check_places(p, s, in->code_base);
	if (!(s->flags & (INSTRUMENT_READS | INSTRUMENT_WRITES)) ||
	    !s->size || !s->length)
		fail(s->addr, "no access");
	if (before && before->addr > s->addr)
		fail(s->addr, "not in order");
	if (s->is_second) {
		if (!before || s->trampoline != before->trampoline ||
		    s->patch != before->patch || s->nr_bytes || s->lead)
			fail(s->addr, "does not share the patch before it");
		return;
	}
	while (before && before->is_second)
		before--;
	if (before && before->addr - before->lead + before->nr_bytes >
		      s->addr - s->lead)
		fail(s->addr, "overlaps the patch before it");
	check_patch(f, s, in->bias);
	check_trampoline(p, nr, in->code_base, in->entry_slot);
}

static bool is_position_independent(const struct file *f)
{
	GElf_Ehdr eh;

	return gelf_getehdr(f->elf, &eh) && eh.e_type == ET_DYN;
}

static void check_file(const char *path)
{
	struct instrument_input in = {
		.path = path,
		.code_base = 0x60000000,
		.entry_slot = 0x60000000,
		.code_bytes = CODE_BYTES,
		.max_sites = UINT32_MAX,
	};
	struct instrument_plan plan;
	struct errbuf err = ERRBUF_INIT;
	struct file f;

	if (!open_file(&f, path)) {
		fail(0, "cannot open '%s'", path);
		return;
	}
	if (is_position_independent(&f)) {
		in.bias = 0x555555554000;
		in.code_base = in.entry_slot = 0x555540000000;
	}
	if (instrument_plan(&in, &plan, &err) < 0) {
		fail(0, "%s", err.text);
	} else {
		for (uint32_t i = 0; i < plan.nr_sites; i++)
			check_site(&f, &plan, i, &in);
		if (plan.nr_jumps + plan.nr_int3 != plan.nr_sites)
			fail(0, "counts do not add up");
		if (!plan.nr_sites || plan.has_no_ranges)
			fail(0, "nothing found in '%s'", path);
		printf("%s: %u sites, %u by jump, %u by trap\n", path,
		       plan.nr_sites, plan.nr_jumps, plan.nr_int3);
		instrument_plan_release(&plan);
	}
	close_file(&f);
}

int main(int argc, char **argv)
{
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	for (int i = 1; i < argc; i++)
		check_file(argv[i]);
	printf("%d files, %u failures\n", argc - 1, nr_failures);
	return nr_failures || argc < 2 ? 1 : 0;
}
