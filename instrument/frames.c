/* SPDX-License-Identifier: MIT */
/*
 * frames.c - function ranges from .eh_frame, which stripped files keep.
 */
#include "instrument/internal.h"
#include "instrument/image.h"
#include "instrument/frames.h"
#include "instrument/encoded.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int module__grow(void *array, size_t size, size_t nr, size_t *max)
{
	void **p = array;
	size_t more = *max ? *max * 2 : 64;
	void *bigger;

	if (nr < *max)
		return 0;
	bigger = realloc(*p, more * size);
	if (!bigger)
		return -ENOMEM;
	*p = bigger;
	*max = more;
	return 0;
}

/*
 * The encodings that the augmentation string announces. An unknown letter
 * makes the rest unreadable: the CIE's functions are then left alone.
 */
static bool read_augmentation(struct cie *cie, const Dwarf_CIE *entry)
{
	const char *letter = entry->augmentation;
	struct cursor c = {
		.at = entry->augmentation_data,
		.end = entry->augmentation_data,
	};

	cie->pointer_encoding = DW_EH_PE_absptr;
	cie->lsda_encoding = DW_EH_PE_omit;
	if (!*letter)
		return true;
	if (*letter++ != 'z')
		return false;
	cie->has_data = true;
	if (c.at)
		c.end += entry->augmentation_data_size;
	for (; *letter; letter++) {
		uint8_t encoding;

		if (*letter == 'S' || *letter == 'B')
			continue;
		encoding = (uint8_t)cursor__fixed(&c, 1);
		if (*letter == 'R')
			cie->pointer_encoding = encoding;
		else if (*letter == 'L')
			cie->lsda_encoding = encoding;
		else if (*letter == 'P')
			/* Its place does not matter, only its length. */
			cursor__pointer(&c, encoding & 0x0f);
		else
			return false;
	}
	return !c.is_bad;
}

static int add_cie(struct module *m, Dwarf_Off offset, const Dwarf_CIE *entry)
{
	struct cie *cie;

	if (module__grow(&m->cie, sizeof(*m->cie), m->nr_cies,
			 &m->max_cies) < 0)
		return -ENOMEM;
	cie = &m->cie[m->nr_cies++];
	*cie = (struct cie){
		.offset = offset,
		.code = entry->initial_instructions,
		.code_end = entry->initial_instructions_end,
		.code_align = entry->code_alignment_factor,
		.data_align = entry->data_alignment_factor,
	};
	cie->is_known = read_augmentation(cie, entry);
	return 0;
}

/* CIEs come in ascending order, and before their FDEs. */
static const struct cie *find_cie(const struct module *m, Dwarf_Off offset)
{
	for (size_t i = m->nr_cies; i-- > 0;)
		if (m->cie[i].offset == offset)
			return &m->cie[i];
	return NULL;
}

/* Code we may decode and change: in one segment that nobody writes to. */
static bool is_usable(const struct module *m, const struct function *f)
{
	const struct image *img = &m->img;
	const struct segment *s = image__segment(img, f->start);

	if (!s || !s->is_executable || f->end <= f->start ||
	    f->end > s->file_end || !image__is_code(img, f->start) ||
	    image__is_plt(img, f->start))
		return false;
	if (s->is_writable)
		m->plan->skipped[INSTRUMENT_SKIP_WRITABLE]++;
	return !s->is_writable;
}

static int add_function(struct module *m, const Dwarf_FDE *entry,
			const uint8_t *section)
{
	const struct cie *cie = find_cie(m, entry->CIE_pointer);
	struct function f = { .start = 0 };
	struct cursor c = {
		.at = entry->start,
		.end = entry->end,
		.addr = m->img.eh_frame + (uint64_t)(entry->start - section),
	};
	uint64_t bytes;

	if (!cie || !cie->is_known)
		return 0;
	f.cie = (size_t)(cie - m->cie);
	f.start = cursor__pointer(&c, cie->pointer_encoding);
	f.end = f.start + cursor__pointer(&c, cie->pointer_encoding & 0x0f);
	if (cie->has_data) {
		struct cursor data = c;

		bytes = cursor__uleb(&c);
		data = c;
		cursor__skip(&c, bytes);
		if (bytes && !c.is_bad)
			f.lsda = cursor__pointer(&data, cie->lsda_encoding);
		if (data.is_bad)
			return 0;
	}
	if (c.is_bad || !is_usable(m, &f))
		return 0;
	f.cfa_code = c.at;
	f.cfa_code_end = c.end;
	if (module__grow(&m->function, sizeof(*m->function), m->nr_functions,
			 &m->max_functions) < 0)
		return -ENOMEM;
	m->function[m->nr_functions++] = f;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	return x->start != y->start ? x->start < y->start ? -1 : 1 :
	       x->end < y->end ? -1 : x->end > y->end;
}

/* Two opinions about one byte: neither is trusted. */
static void skip_overlapping(struct module *m)
{
	size_t widest = 0;

	for (size_t i = 1; i < m->nr_functions; i++) {
		struct function *f = &m->function[i];

		if (f->start < m->function[widest].end) {
			m->function[widest].is_skipped = true;
			f->is_skipped = true;
		}
		if (f->end > m->function[widest].end)
			widest = i;
	}
	for (size_t i = 0; i < m->nr_functions; i++)
		if (m->function[i].is_skipped)
			m->plan->skipped[INSTRUMENT_SKIP_OVERLAP]++;
}

int frames__read(struct module *m)
{
	uint64_t bytes = m->img.eh_frame_end - m->img.eh_frame;
	const uint8_t *at = image__bytes(&m->img, m->img.eh_frame, bytes);
	Elf_Data data = {
		.d_buf = (void *)at,
		.d_type = ELF_T_BYTE,
		.d_size = bytes,
		.d_version = EV_CURRENT,
	};
	Dwarf_Off offset = 0, next = 0;
	Dwarf_CFI_Entry entry;
	int e = 0;

	if (!at || !bytes)
		return 0;
	for (; e == 0; offset = next) {
		int r = dwarf_next_cfi(m->img.file, &data, true, offset, &next,
				       &entry);

		if (r > 0 || next <= offset)
			break;
		if (r < 0)
			continue;
		e = dwarf_cfi_cie_p(&entry) ? add_cie(m, offset, &entry.cie)
					    : add_function(m, &entry.fde, at);
	}
	if (m->nr_functions)
		qsort(m->function, m->nr_functions, sizeof(*m->function),
		      compare);
	skip_overlapping(m);
	for (size_t i = 0; i < m->nr_functions; i++)
		m->function[i].group = (uint32_t)i;
	return e;
}

struct function *module__function(const struct module *m, uint64_t addr)
{
	size_t low = 0, high = m->nr_functions;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->function[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || addr >= m->function[low - 1].end)
		return NULL;
	return &m->function[low - 1];
}

long module__insn(const struct module *m, const struct function *f,
		  uint64_t addr)
{
	uint32_t low = f->first_insn, high = low + f->nr_insns;
	uint64_t offset = addr - f->start;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (m->insn[mid].offset < offset)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == f->first_insn + f->nr_insns ||
	    m->insn[low].offset != offset)
		return -1;
	return low;
}
