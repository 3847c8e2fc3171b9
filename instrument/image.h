/* SPDX-License-Identifier: MIT */
/*
 * image.h - a module's file, and the tables in it.
 */
#ifndef INSTRUMENT_IMAGE_H
#define INSTRUMENT_IMAGE_H

#include "instrument/internal.h"

int image__open(struct image *img, const char *path, struct errbuf *err);
void image__release(struct image *img);	/* after a failed open, too */

struct segment *image__segment(const struct image *img, uint64_t addr);

/* `bytes` of the file at `addr`, or NULL. Valid until image__release(). */
const uint8_t *image__bytes(const struct image *img, uint64_t addr,
			    uint64_t bytes);

/* By section, or by segment where the file has no sections. */
bool image__is_code(const struct image *img, uint64_t addr);
bool image__is_plt(const struct image *img, uint64_t addr);

/* No task can write here once the program runs. */
bool image__is_constant(const struct image *img, uint64_t addr,
			uint64_t bytes);

/*
 * Code of other modules may ask for the address of a thread-local variable, or
 * this one asks the dynamic linker for one.
 */
bool image__shares_tls(const struct image *img);

/* Outside executable segments: not set, and never set. */
void image__mark(const struct image *img, uint64_t addr, enum landing_map map);
bool image__is_marked(const struct image *img, uint64_t addr,
		      enum landing_map map);

/* Mark what data and symbols point to: control may come in there. */
int tables__mark_pointers(const struct module *m);

/* The heads of jump tables: before tables__mark_jumps(). */
int tables__find_heads(struct module *m);

/* Mark what a function's jump tables lead to. */
void tables__mark_jumps(const struct module *m, struct function *f);

#endif /* INSTRUMENT_IMAGE_H */
