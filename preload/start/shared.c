/* SPDX-License-Identifier: MIT */
/*
 * shared.c - anonymous shared memory of constructors.
 *
 * A run is a fork of the zygote, so what a constructor has mapped MAP_SHARED for
 * the program's own children would be shared by all runs, and one would find
 * what the one before left there. Each run takes a copy; the zygote's remains as
 * main should find it. Memory that has a name (a file, memfd, System V) is left.
 */
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "preload/core/core.h"
#include "preload/start/shared.h"
#include "preload/arch/sys.h"

#define MAX_RANGES 64
#define LINE_BYTES 512
#define PAGE 4096u

static struct range {
	uint64_t start, end;
	uint64_t prot;
} ranges[MAX_RANGES];
static uint32_t nr_ranges;

static const char *take_hex(const char *p, uint64_t *value)
{
	uint64_t v = 0;

	for (;; p++) {
		if (*p >= '0' && *p <= '9')
			v = v << 4 | (uint64_t)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			v = v << 4 | (uint64_t)(*p - 'a' + 10);
		else
			break;
	}
	*value = v;
	return p;
}

/* "START-END rw-s ... /dev/zero (deleted)" is how the kernel shows it. */
static void take_line(const char *p)
{
	struct range r;
	const char *name = p;

	p = take_hex(p, &r.start);
	p = take_hex(p + (*p == '-'), &r.end);
	while (*name && *name != '/')
		name++;
	/* The runtime's own stack: nothing of a run stays on it. */
	if (r.start == core_stack_top - CORE_STACK_BYTES)
		return;
	if (*p != ' ' || p[1] != 'r' || p[4] != 's' ||
	    !core_has_prefix(name, "/dev/zero (deleted)") ||
	    nr_ranges == MAX_RANGES)
		return;
	r.prot = PROT_READ;
	r.prot |= p[2] == 'w' ? PROT_WRITE : 0;
	r.prot |= p[3] == 'x' ? PROT_EXEC : 0;
	ranges[nr_ranges++] = r;
}

void shared_find(void)
{
	static char text[4096], line[LINE_BYTES];
	uint32_t used = 0;
	int64_t fd, n;

	fd = sys_call3(__NR_open, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	while ((n = sys_call3(__NR_read, fd, text, sizeof(text))) > 0)
		for (int64_t i = 0; i < n; i++) {
			if (text[i] != '\n') {
				if (used < LINE_BYTES - 1)
					line[used++] = text[i];
				continue;
			}
			line[used] = '\0';
			take_line(line);
			used = 0;
		}
	sys_call1(__NR_close, fd);
}

/* Pages of zeroes need not be written: the copy is of zeroes. */
static void copy_page(uint64_t *to, const uint64_t *from)
{
	for (uint32_t i = 0; i < PAGE / sizeof(*to); i++)
		if (from[i])
			to[i] = from[i];
}

static void copy(const struct range *r)
{
	uint64_t bytes = r->end - r->start;
	int64_t at = sys_call6(__NR_mmap, 0, bytes, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			       0);

	if (at < 0 && at > -4096)
		return;
	for (uint64_t i = 0; i < bytes; i += PAGE)
		copy_page((uint64_t *)(uintptr_t)((uint64_t)at + i),
			  (const uint64_t *)(uintptr_t)(r->start + i));
	sys_call3(__NR_mprotect, at, bytes, r->prot);
	sys_call5(__NR_mremap, at, bytes, bytes,
		  MREMAP_MAYMOVE | MREMAP_FIXED, r->start);
}

void shared_copy(void)
{
	for (uint32_t i = 0; i < nr_ranges; i++)
		copy(&ranges[i]);
}
