/* SPDX-License-Identifier: MIT */
/*
 * rewrite.c - a program that changes its own code, and one that makes some
 *
 * Argument 1: own (makes a page of its text writable, changes an instruction
 * between two accesses, and looks whether the rest is what it was built as),
 * checksum (the text is the file's, once it was made writable), jit (code in
 * memory of its own, executed by two threads), loose (code that is writable
 * from the start, see table.tsv; changed without a word).
 */
#include <assert.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/guests/guest.h"

#define PAGE ((uintptr_t)4096)

int changed(volatile int *a, volatile int *b);
extern uint8_t changed_value[], changed_end[];

/* Built with it: the code is in a segment that is writable. */
#ifdef LOOSE
#define SECTION ".section .loose, \"awx\", @progbits\n"
#else
#define SECTION ".text\n"
#endif

/* The constant lies in the middle of what a patch would take. */
__asm__(SECTION
	".globl changed\n"
	"changed:	.cfi_startproc\n"
	"	mov (%rdi), %eax\n"
	"	.byte 0x83, 0xc0\n"	/* add $1, %eax */
	"changed_value:	.byte 1\n"
	"	add (%rsi), %eax\n"
	"	mov %eax, (%rdi)\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"changed_end:\n"
	".text\n");

static volatile int shared[2];

static void *use(void *arg)
{
	for (int i = 0; i < 5; i++)
		changed(&shared[0], &shared[1]);
	return arg;
}

static void protect(const void *from, const void *to, int prot)
{
	uintptr_t first = (uintptr_t)from & -PAGE;

	assert(!mprotect((void *)first, (uintptr_t)to - first, prot));
}

/* ---- changing ---- */

static void change(bool is_loose)
{
	volatile int a = 0, b = 0;
	static const uint8_t text[] = { 0x8b, 0x07, 0x83, 0xc0, 1, 0x03, 0x06,
					0x89, 0x07, 0xc3 };

	guest_run(2, use);
	changed(&a, &b);
	assert(a == 1);
	if (!is_loose)
		protect((void *)changed, changed_end,
			PROT_READ | PROT_WRITE | PROT_EXEC);
	/* An unpatcher of its own would look like this, too. */
	assert(!memcmp((void *)changed, text, sizeof(text)));
	for (uint8_t n = 2; n < 6; n++) {
		*changed_value = n;
		a = 0;
		changed(&a, &b);
		assert(a == n);
	}
	if (!is_loose)
		protect((void *)changed, changed_end, PROT_READ | PROT_EXEC);
	a = 0;
	changed(&a, &b);
	assert(a == 5);
	guest_run(2, use);
}

/* ---- the sum of all ---- */

struct text {
	uint64_t start, bytes, offset;
};

static int find_text(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct text *t = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD &&
		    (info->dlpi_phdr[i].p_flags & PF_X))
			*t = (struct text){
				info->dlpi_addr + info->dlpi_phdr[i].p_vaddr,
				info->dlpi_phdr[i].p_filesz,
				info->dlpi_phdr[i].p_offset,
			};
	return 1;	/* the program is the first */
}

static void checksum(void)
{
	struct text t = { 0 };
	uint8_t *file;
	int fd;

	guest_run(2, use);
	dl_iterate_phdr(find_text, &t);
	fd = open("/proc/self/exe", O_RDONLY);
	file = malloc(t.bytes);
	assert(file && pread(fd, file, t.bytes, (off_t)t.offset) ==
		       (ssize_t)t.bytes);
	protect((void *)t.start, (void *)(t.start + t.bytes),
		PROT_READ | PROT_WRITE | PROT_EXEC);
	assert(!memcmp(file, (void *)t.start, t.bytes));
	free(file);
}

/* ---- code of its own ---- */

static int (*made)(volatile int *a);

static void *execute(void *arg)
{
	for (int i = 0; i < 10; i++)
		made(&shared[0]);
	return arg;
}

static void jit(void)
{
	/* mov (%rdi), %eax; inc %eax; mov %eax, (%rdi); ret */
	static const uint8_t code[] = { 0x8b, 0x07, 0xff, 0xc0, 0x89, 0x07,
					0xc3 };
	volatile int a = 1;
	uint8_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert(p != MAP_FAILED);
	for (int round = 0; round < 3; round++) {
		memcpy(p, code, sizeof(code));
		p[3] = round == 2 ? 0xc8 : 0xc0;	/* dec */
		assert(!mprotect(p, PAGE, PROT_READ | PROT_EXEC));
		made = (int (*)(volatile int *))(uintptr_t)p;
		guest_run(2, execute);
		assert(made(&a) == (round == 0 ? 2 : round == 1 ? 3 : 2));
		assert(!mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	}
	assert(!munmap(p, PAGE));
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "own";

	if (!strcmp(way, "checksum"))
		checksum();
	else if (!strcmp(way, "jit"))
		jit();
	else
		change(!strcmp(way, "loose"));
	return guest_ok();
}
