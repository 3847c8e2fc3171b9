/* SPDX-License-Identifier: MIT */
/*
 * image.c - an ELF file as it will lie in memory.
 */
#include "instrument/internal.h"
#include "instrument/image.h"
#include "instrument/frames.h"
#include "instrument/encoded.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES 4096
#define MAX_HEADERS 1024

static int bad_file(struct errbuf *err, const char *path, const char *why)
{
	errbuf_addf(err, "cannot instrument '%s': %s", path, why);
	return -ENOEXEC;
}

static int new_maps(struct segment *s)
{
	size_t bytes = (s->file_end - s->start) / 8 + 1;

	s->landing = calloc(1, bytes);
	s->root = calloc(1, bytes);
	s->entered = calloc(1, bytes);
	return s->landing && s->root && s->entered ? 0 : -ENOMEM;
}

/* False when the header contradicts the file. */
static bool add_segment(struct image *img, const GElf_Phdr *ph)
{
	struct segment *s = &img->segment[img->nr_segments];

	if (ph->p_offset > img->nr_file_bytes ||
	    ph->p_filesz > img->nr_file_bytes - ph->p_offset ||
	    ph->p_filesz > ph->p_memsz ||
	    ph->p_vaddr + ph->p_memsz < ph->p_vaddr)
		return false;
	if (!ph->p_memsz)
		return true;
	*s = (struct segment){
		.start = ph->p_vaddr,
		.end = ph->p_vaddr + ph->p_memsz,
		.bytes = img->file + ph->p_offset,
		.file_end = ph->p_vaddr + ph->p_filesz,
		.is_writable = ph->p_flags & PF_W,
		.is_executable = ph->p_flags & PF_X,
	};
	img->nr_segments++;
	return true;
}

static int read_segments(struct image *img, const char *path,
			 struct errbuf *err)
{
	GElf_Phdr ph;
	size_t nr;

	if (elf_getphdrnum(img->elf, &nr) < 0 || !nr || nr > MAX_HEADERS)
		return bad_file(err, path, "no usable program headers");
	img->segment = calloc(nr, sizeof(*img->segment));
	if (!img->segment)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		if (!gelf_getphdr(img->elf, (int)i, &ph))
			return bad_file(err, path, "bad program header");
		if (ph.p_type == PT_LOAD && !add_segment(img, &ph))
			return bad_file(err, path, "bad segment");
		/* As the dynamic linker rounds it. */
		if (ph.p_type == PT_GNU_RELRO) {
			img->relro_start = ph.p_vaddr & -PAGE_BYTES;
			img->relro_end = (ph.p_vaddr + ph.p_memsz) &
					 -PAGE_BYTES;
		}
	}
	for (size_t i = 0; i < img->nr_segments; i++)
		if (img->segment[i].is_executable &&
		    new_maps(&img->segment[i]) < 0)
			return -ENOMEM;
	return 0;
}

static void add_section(struct image *img, const GElf_Shdr *sh,
			const char *name)
{
	struct section *s = &img->section[img->nr_sections];
	const struct segment *in = image__segment(img, sh->sh_addr);

	if (!(sh->sh_flags & SHF_ALLOC) || !sh->sh_size || !in ||
	    sh->sh_size > in->end - sh->sh_addr)
		return;
	*s = (struct section){ sh->sh_addr, sh->sh_addr + sh->sh_size, 0 };
	if (sh->sh_flags & SHF_EXECINSTR)
		s->flags |= SECTION_CODE;
	if (name && (!strncmp(name, ".plt", 4) || !strcmp(name, ".iplt")))
		s->flags |= SECTION_PLT;
	img->nr_sections++;
	if (name && !strcmp(name, ".eh_frame") &&
	    sh->sh_type != SHT_NOBITS) {
		img->eh_frame = s->start;
		img->eh_frame_end = s->end;
	}
}

static int read_sections(struct image *img)
{
	size_t nr, names;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	if (elf_getshdrnum(img->elf, &nr) < 0 || !nr ||
	    elf_getshdrstrndx(img->elf, &names) < 0)
		return 0;
	img->section = calloc(nr, sizeof(*img->section));
	if (!img->section)
		return -ENOMEM;
	while ((scn = elf_nextscn(img->elf, scn)) && img->nr_sections < nr)
		if (gelf_getshdr(scn, &sh))
			add_section(img, &sh,
				    elf_strptr(img->elf, names, sh.sh_name));
	return 0;
}

/* Without sections, .eh_frame_hdr knows where .eh_frame starts. */
static void find_eh_frame(struct image *img)
{
	GElf_Phdr ph;
	struct segment *s;
	struct cursor c;
	size_t nr;

	if (elf_getphdrnum(img->elf, &nr) < 0)
		return;
	for (size_t i = 0; i < nr; i++) {
		uint8_t encoding;
		const uint8_t *at;

		if (!gelf_getphdr(img->elf, (int)i, &ph) ||
		    ph.p_type != PT_GNU_EH_FRAME)
			continue;
		at = image__bytes(img, ph.p_vaddr, 12);
		if (!at || at[0] != 1)
			return;
		encoding = at[1];
		c = (struct cursor){ at + 4, at + 12, ph.p_vaddr + 4, false };
		img->eh_frame = cursor__pointer(&c, encoding);
		s = image__segment(img, img->eh_frame);
		img->eh_frame_end = c.is_bad || !s ? img->eh_frame
						   : s->file_end;
		return;
	}
}

int image__open(struct image *img, const char *path, struct errbuf *err)
{
	GElf_Ehdr eh;
	struct stat st;
	int e;

	*img = (struct image){ .fd = -1 };
	elf_version(EV_CURRENT);
	img->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (img->fd < 0 || fstat(img->fd, &st) < 0) {
		e = -errno;
		errbuf_addf(err, "cannot open '%s': %s", path, strerror(-e));
		return e;
	}
	if (!S_ISREG(st.st_mode))
		return bad_file(err, path, "not a file");
	img->elf = elf_begin(img->fd, ELF_C_READ_MMAP, NULL);
	img->file = (const uint8_t *)elf_rawfile(img->elf,
						 &img->nr_file_bytes);
	if (!img->elf || !img->file || elf_kind(img->elf) != ELF_K_ELF ||
	    !gelf_getehdr(img->elf, &eh))
		return bad_file(err, path, "not an ELF file");
	if (eh.e_machine != EM_X86_64 || eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    (eh.e_type != ET_EXEC && eh.e_type != ET_DYN))
		return bad_file(err, path, "not an x86-64 program or library");
	img->is_fixed = eh.e_type == ET_EXEC;
	e = read_segments(img, path, err);
	if (e == 0)
		e = read_sections(img);
	if (e == 0 && img->eh_frame == img->eh_frame_end)
		find_eh_frame(img);
	return e;
}

/* Some symbol that the dynamic linker knows is as `is_it` asks. */
static bool has_symbol(const struct image *img,
		       bool (*is_it)(const GElf_Sym *sym, const char *name,
				     const char *wanted),
		       const char *wanted)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Sym sym;

	while ((scn = elf_nextscn(img->elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_DYNSYM ||
		    !sh.sh_entsize)
			continue;
		data = elf_getdata(scn, NULL);
		for (int i = 0; data && gelf_getsym(data, i, &sym); i++) {
			const char *s = elf_strptr(img->elf, sh.sh_link,
						   sym.st_name);

			if (is_it(&sym, s ? s : "", wanted))
				return true;
		}
	}
	return false;
}

/* A function of that name is wanted from another module. */
static bool is_import(const GElf_Sym *sym, const char *name,
		      const char *wanted)
{
	return sym->st_shndx == SHN_UNDEF && !strcmp(name, wanted);
}

/* A thread-local variable of this module, which others can use. */
static bool is_tls_export(const GElf_Sym *sym, const char *name,
			  const char *wanted)
{
	(void)name;
	(void)wanted;
	return sym->st_shndx != SHN_UNDEF &&
	       GELF_ST_TYPE(sym->st_info) == STT_TLS;
}

/* Relocations for the other way to ask the dynamic linker. */
static bool has_tls_descriptors(const struct image *img)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Rela rela;

	while ((scn = elf_nextscn(img->elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_RELA ||
		    !(sh.sh_flags & SHF_ALLOC) || !sh.sh_entsize)
			continue;
		data = elf_getdata(scn, NULL);
		for (int i = 0; data && gelf_getrela(data, i, &rela); i++)
			if (GELF_R_TYPE(rela.r_info) == R_X86_64_TLSDESC)
				return true;
	}
	return false;
}

/* Without sections nothing is known. */
bool image__shares_tls(const struct image *img)
{
	return !img->nr_sections ||
	       has_symbol(img, is_import, "__tls_get_addr") ||
	       has_symbol(img, is_tls_export, "") || has_tls_descriptors(img);
}

bool instrument_makes_locks(const char *path)
{
	struct errbuf err = { 0 };
	struct image img;
	bool found = !image__open(&img, path, &err) &&
		     has_symbol(&img, is_import, "syscall");

	image__release(&img);
	return found;
}

void image__release(struct image *img)
{
	for (size_t i = 0; i < img->nr_segments; i++) {
		free(img->segment[i].landing);
		free(img->segment[i].root);
		free(img->segment[i].entered);
	}
	free(img->segment);
	free(img->section);
	elf_end(img->elf);
	if (img->fd >= 0)
		close(img->fd);
	*img = (struct image){ .fd = -1 };
}

struct segment *image__segment(const struct image *img, uint64_t addr)
{
	for (size_t i = 0; i < img->nr_segments; i++)
		if (addr >= img->segment[i].start &&
		    addr < img->segment[i].end)
			return &img->segment[i];
	return NULL;
}

const uint8_t *image__bytes(const struct image *img, uint64_t addr,
			    uint64_t bytes)
{
	const struct segment *s = image__segment(img, addr);

	if (!s || addr >= s->file_end || bytes > s->file_end - addr)
		return NULL;
	return s->bytes + (addr - s->start);
}

static const struct section *find_section(const struct image *img,
					  uint64_t addr, int flag)
{
	for (size_t i = 0; i < img->nr_sections; i++)
		if ((img->section[i].flags & flag) &&
		    addr >= img->section[i].start &&
		    addr < img->section[i].end)
			return &img->section[i];
	return NULL;
}

bool image__is_code(const struct image *img, uint64_t addr)
{
	const struct segment *s;

	if (img->nr_sections)
		return find_section(img, addr, SECTION_CODE) != NULL;
	s = image__segment(img, addr);
	return s && s->is_executable && addr < s->file_end;
}

bool image__is_plt(const struct image *img, uint64_t addr)
{
	return find_section(img, addr, SECTION_PLT) != NULL;
}

bool image__is_constant(const struct image *img, uint64_t addr, uint64_t bytes)
{
	const struct segment *s = image__segment(img, addr);

	if (!s || bytes > s->end - addr)
		return false;
	if (!s->is_writable)
		return true;
	return addr >= img->relro_start && addr < img->relro_end &&
	       bytes <= img->relro_end - addr;
}

void image__mark(const struct image *img, uint64_t addr, enum landing_map map)
{
	struct segment *s = image__segment(img, addr);
	uint64_t bit;

	if (!s || !s->is_executable || addr >= s->file_end)
		return;
	bit = addr - s->start;
	s->landing[bit / 8] |= 1 << bit % 8;
	if (map == LANDING_ROOT)
		s->root[bit / 8] |= 1 << bit % 8;
	if (map == LANDING_ENTERED)
		s->entered[bit / 8] |= 1 << bit % 8;
}

bool image__is_marked(const struct image *img, uint64_t addr,
		      enum landing_map map)
{
	const struct segment *s = image__segment(img, addr);
	const uint8_t *bits;
	uint64_t bit;

	if (!s || !s->is_executable || addr >= s->file_end)
		return false;
	bit = addr - s->start;
	bits = map == LANDING_ROOT ? s->root :
	       map == LANDING_ENTERED ? s->entered : s->landing;
	return bits[bit / 8] >> bit % 8 & 1;
}
