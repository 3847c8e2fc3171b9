/* SPDX-License-Identifier: MIT */
/*
 * sanitizer.c - which sanitizer a target is built with.
 */
#include "explorer/target/sanitizer.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* By a string of the dynamic symbols or libraries. The first that is there. */
static const struct known {
	const char *string;
	struct sanitizer sanitizer;
} known[] = {
	{ "__asan_init", { "ASAN_OPTIONS",
			   "detect_leaks=0:verify_asan_link_order=0",
			   "memory leaks (ASAN_OPTIONS has detect_leaks=0)" } },
	{ "__hwasan_init", { "HWASAN_OPTIONS", "detect_leaks=0",
			     "memory leaks (HWASAN_OPTIONS has "
			     "detect_leaks=0)" } },
	{ "__lsan_init", { "LSAN_OPTIONS", "detect_leaks=0",
			   "memory leaks (LSAN_OPTIONS has "
			   "detect_leaks=0)" } },
	{ "__lsan_do_leak_check", { "LSAN_OPTIONS", "detect_leaks=0",
				    "memory leaks (LSAN_OPTIONS has "
				    "detect_leaks=0)" } },
	{ "liblsan.so.0", { "LSAN_OPTIONS", "detect_leaks=0",
			    "memory leaks (LSAN_OPTIONS has "
			    "detect_leaks=0)" } },
};

#define NR_KNOWN (sizeof(known) / sizeof(known[0]))

static bool has_string(const Elf_Data *data, const char *string)
{
	const char *text = data->d_buf;
	size_t bytes = strlen(string) + 1;

	return text && memmem(text, data->d_size, string, bytes);
}

/* Strings of the dynamic linker: those that are loaded. */
static const struct sanitizer *find(Elf *elf)
{
	Elf_Scn *section = NULL;
	Elf_Data *data;
	GElf_Shdr head;

	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &head) ||
		    head.sh_type != SHT_STRTAB || !(head.sh_flags & SHF_ALLOC))
			continue;
		data = elf_getdata(section, NULL);
		for (size_t i = 0; data && i < NR_KNOWN; i++)
			if (has_string(data, known[i].string))
				return &known[i].sanitizer;
	}
	return NULL;
}

const struct sanitizer *sanitizer_of(const char *path)
{
	const struct sanitizer *found = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf;

	if (fd < 0)
		return NULL;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		found = find(elf);
	elf_end(elf);
	close(fd);
	return found;
}
