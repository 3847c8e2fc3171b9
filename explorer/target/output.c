/* SPDX-License-Identifier: MIT */
/*
 * output.c - what a run prints: a file in memory, of bounded size.
 *
 * The target may print gigabytes, and may make the file look larger still with
 * ftruncate(). What counts is the memory behind it, and neither of the two is a
 * fault: the oldest part is taken out of the file, as it would be out of a
 * terminal's sight.
 */
#include "explorer/target/output.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

#define MAX_BYTES (64l << 20)	/* of memory, before something is taken out */
#define KEPT_BYTES (16l << 20)	/* that stay then */
#define BLOCK_BYTES 512		/* of st_blocks */

void output_bound(int fd)
{
	struct stat st;

	if (fstat(fd, &st) || st.st_blocks <= MAX_BYTES / BLOCK_BYTES ||
	    st.st_size <= KEPT_BYTES)
		return;
	fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		  st.st_size - KEPT_BYTES);
}

/*
 * Append [from, to) of the file to the text, as far as there is room, without
 * the zero bytes between the holes and the data in the same pages.
 */
static void append(struct output *o, int fd, off_t from, off_t to, off_t end)
{
	size_t start = o->bytes, bytes = (size_t)(to - from), nr_zero = 0;
	bool is_behind_hole = from > 0, has_hole_behind = to < end;

	if (bytes > (size_t)MAX_BYTES - o->bytes)
		bytes = (size_t)MAX_BYTES - o->bytes;
	o->text = xrealloc(o->text, 1, o->bytes + bytes);
	while (bytes) {
		ssize_t n = pread(fd, o->text + o->bytes, bytes, from);

		if (n <= 0)
			break;
		o->bytes += (size_t)n;
		bytes -= (size_t)n;
		from += n;
	}
	while (has_hole_behind && o->bytes > start && !o->text[o->bytes - 1])
		o->bytes--;
	while (is_behind_hole && start + nr_zero < o->bytes &&
	       !o->text[start + nr_zero])
		nr_zero++;
	memmove(o->text + start, o->text + start + nr_zero,
		o->bytes - start - nr_zero);
	o->bytes -= nr_zero;
}

void output_read(struct output *o, int fd)
{
	off_t from = 0, to = 0;
	struct stat st;

	o->bytes = 0;
	output_bound(fd);
	if (fstat(fd, &st))
		return;
	/* Holes were never printed, or are gone. */
	while ((from = lseek(fd, to, SEEK_DATA)) >= 0 &&
	       (to = lseek(fd, from, SEEK_HOLE)) > from &&
	       o->bytes < (size_t)MAX_BYTES)
		append(o, fd, from, to, st.st_size);
}

void output_release(struct output *o)
{
	free(o->text);
	o->text = NULL;
	o->bytes = 0;
}
