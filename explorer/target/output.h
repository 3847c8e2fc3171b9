/* SPDX-License-Identifier: MIT */
/*
 * output.h - what a run prints: a file in memory, of bounded size.
 */
#ifndef EXPLORER_OUTPUT_H
#define EXPLORER_OUTPUT_H

#include <stddef.h>

/* Text that was read from the file; starts empty. */
struct output {
	char *text;	/* not terminated; NULL with 0 bytes */
	size_t bytes;
};

/* While a run prints: give back memory when the file has too much of it. */
void output_bound(int fd);

/* The data in the file, without its holes, instead of what is in `o`. */
void output_read(struct output *o, int fd);

void output_release(struct output *o);

#endif /* EXPLORER_OUTPUT_H */
