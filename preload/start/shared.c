/* SPDX-License-Identifier: MIT */
/*
 * shared.c - shared memory of constructors.
 *
 * A run is a fork of the zygote, so what a constructor has mapped MAP_SHARED
 * for the program's own children would be shared by all runs, and one would
 * find what the one before left there. Of anonymous memory each run takes a
 * copy; the zygote's remains as main should find it. What others can reach by
 * a number (System V segments, memfds) stays where it is, and the zygote puts
 * back what was in it. Files with a name are left.
 */
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "preload/core/core.h"
#include "preload/start/contents.h"
#include "preload/start/inherited.h"
#include "preload/start/shared.h"
#include "preload/arch/sys.h"

#define MAX_RANGES 64
#define LINE_BYTES 512
#define PAGE 4096u

static struct range {
	uint64_t start, end;
	uint64_t prot;
	bool is_kept;		/* in its place; else runs take copies */
	struct contents contents;
} ranges[MAX_RANGES];
static uint32_t nr_ranges;
static bool is_too_large;

/* "START-END rw-s OFFSET 00:01 INODE /dev/zero (deleted)" */
static bool is_file_kept(const char *p)
{
	uint64_t major, minor, ino;

	p = fdinfo_number(p + core_strlen(" rw-s"), 16, &major);
	p = fdinfo_number(p, 16, &major);
	p = fdinfo_number(p, 16, &minor);
	fdinfo_number(p, 10, &ino);
	/* As the kernel shows a device to fstat(). */
	return inherited_keeps_file((minor & 0xff) | major << 8 |
					    (minor & ~0xffull) << 12, ino);
}

/* The region, and the runtime's own stack, on which nothing of a run stays. */
static bool is_ours(const struct range *r)
{
	uint64_t control = (uintptr_t)runtime_control;

	return r->start == core_stack_top - CORE_STACK_BYTES ||
	       (r->start >= control &&
		r->start < control + sizeof(struct control));
}

static void take_line(const char *p)
{
	struct range r = { 0 };
	const char *name = p;

	p = fdinfo_number(p, 16, &r.start);
	p = fdinfo_number(p, 16, &r.end);
	while (*name && *name != '/')
		name++;
	if (*p != ' ' || p[1] != 'r' || p[4] != 's' || is_ours(&r) ||
	    nr_ranges == MAX_RANGES)
		return;
	r.is_kept = core_has_prefix(name, "/SYSV") ||
		    core_has_prefix(name, "/memfd:");
	if (!r.is_kept && !core_has_prefix(name, "/dev/zero (deleted)"))
		return;
	if (r.is_kept && (p[2] != 'w' || is_file_kept(p)))
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
	for (uint32_t i = 0; i < nr_ranges; i++)
		if (ranges[i].is_kept &&
		    !contents_keep_memory(&ranges[i].contents, ranges[i].start,
					  ranges[i].end - ranges[i].start))
			is_too_large = true;
}

bool shared_is_too_large(void)
{
	return is_too_large;
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
		if (!ranges[i].is_kept)
			copy(&ranges[i]);
}

void shared_restore(void)
{
	for (uint32_t i = 0; i < nr_ranges; i++)
		if (ranges[i].contents.saved)
			contents_restore_memory(&ranges[i].contents,
						ranges[i].start);
}
