/* SPDX-License-Identifier: MIT */
/*
 * contents.c - copies of what files without a name, and pipes, have in them.
 *
 * Copies are memory of the zygote, which runs share until they write; they
 * never do. Only what differs is written back: pages that nobody touched are
 * not made.
 */
#include <asm-generic/ioctls.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "preload/arch/sys.h"
#include "preload/start/contents.h"

#define MAX_BYTES (64ull << 20)	/* kept of all together */
#define CHUNK 4096u

#define SPLICE_NONBLOCK 2 /* SPLICE_F_NONBLOCK, which no kernel header has */

static uint64_t kept_bytes;
static uint8_t chunk[CHUNK];

static bool take_room(struct contents *c, uint64_t bytes)
{
	int64_t at;

	c->saved = NULL;
	c->bytes = bytes;
	if (bytes > MAX_BYTES - kept_bytes)
		return false;
	/* A file of no bytes is kept, too. */
	at = sys_call6(__NR_mmap, 0, bytes + CHUNK, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at < 0 && at > -4096)
		return false;
	c->saved = (uint8_t *)(uintptr_t)at;
	kept_bytes += bytes;
	return true;
}

static bool is_zero(const uint8_t *p, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes; i++)
		if (p[i])
			return false;
	return true;
}

static uint64_t part(uint64_t bytes, uint64_t at)
{
	return bytes - at < CHUNK ? bytes - at : CHUNK;
}

static bool read_part(int64_t fd, uint64_t at, uint64_t bytes)
{
	return sys_call4(__NR_pread64, fd, chunk, bytes, at) == (int64_t)bytes;
}

bool contents_keep_file(struct contents *c, int64_t fd)
{
	struct stat s;

	if (sys_call2(__NR_fstat, fd, &s) < 0 ||
	    !take_room(c, (uint64_t)s.st_size))
		return false;
	for (uint64_t at = 0; at < c->bytes; at += CHUNK) {
		uint64_t n = part(c->bytes, at);

		if (!read_part(fd, at, n)) {
			c->saved = NULL;
			return false;
		}
		if (!is_zero(chunk, n))
			memcpy(c->saved + at, chunk, n);
	}
	return true;
}

bool contents_restore_file(const struct contents *c, int64_t fd)
{
	bool is_whole = true;
	struct stat s;

	if (sys_call2(__NR_fstat, fd, &s) < 0 ||
	    ((uint64_t)s.st_size != c->bytes &&
	     sys_call2(__NR_ftruncate, fd, c->bytes) < 0))
		return false;
	for (uint64_t at = 0; at < c->bytes; at += CHUNK) {
		uint64_t n = part(c->bytes, at);

		if (!read_part(fd, at, n))
			return false;
		if (memcmp(chunk, c->saved + at, n) &&
		    sys_call4(__NR_pwrite64, fd, c->saved + at, n, at) !=
			    (int64_t)n)
			is_whole = false;
	}
	return is_whole;
}

bool contents_keep_memory(struct contents *c, uint64_t start, uint64_t bytes)
{
	const uint8_t *from = (const uint8_t *)(uintptr_t)start;

	if (!take_room(c, bytes))
		return false;
	for (uint64_t at = 0; at < bytes; at += CHUNK)
		if (!is_zero(from + at, part(bytes, at)))
			memcpy(c->saved + at, from + at, part(bytes, at));
	return true;
}

void contents_restore_memory(const struct contents *c, uint64_t start)
{
	uint8_t *to = (uint8_t *)(uintptr_t)start;

	for (uint64_t at = 0; at < c->bytes; at += CHUNK)
		if (memcmp(to + at, c->saved + at, part(c->bytes, at)))
			memcpy(to + at, c->saved + at, part(c->bytes, at));
}

/* By way of another pipe: they stay in this one. */
static bool copy_pipe(struct contents *c, int64_t fd)
{
	int32_t end[2];
	int64_t n;

	if (sys_call2(__NR_pipe2, end, O_CLOEXEC) < 0)
		return false;
	sys_call3(__NR_fcntl, end[1], F_SETPIPE_SZ,
		  sys_call2(__NR_fcntl, fd, F_GETPIPE_SZ));
	n = sys_call4(__NR_tee, fd, end[1], c->bytes, SPLICE_NONBLOCK);
	if (n == (int64_t)c->bytes)
		n = sys_call3(__NR_read, end[0], c->saved, c->bytes);
	sys_call1(__NR_close, end[0]);
	sys_call1(__NR_close, end[1]);
	return n == (int64_t)c->bytes;
}

bool contents_keep_pipe(struct contents *c, int64_t fd)
{
	int32_t bytes = 0;

	if (sys_call3(__NR_ioctl, fd, FIONREAD, &bytes) < 0 ||
	    !take_room(c, (uint64_t)bytes))
		return false;
	return !bytes || copy_pipe(c, fd);
}
