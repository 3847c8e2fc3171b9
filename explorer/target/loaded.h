/* SPDX-License-Identifier: MIT */
/*
 * loaded.h - code that runs load while they run, and that nobody watches.
 */
#ifndef EXPLORER_LOADED_H
#define EXPLORER_LOADED_H

#include <stdint.h>
#include <stdio.h>

#include "preload/region/control.h"

#define LOADED_MAX 16u

/* Sorted paths; starts zeroed. */
struct loaded {
	char *path[LOADED_MAX];
	uint32_t nr;
	uint32_t nr_more;	/* for which there was no room */
};

/* Modules of the last run, from the first-th on, but for the system's. */
void loaded_add(struct loaded *l, const struct control *c, uint32_t first);
void loaded_merge(struct loaded *l, const struct loaded *from);
void loaded_print(FILE *f, const struct loaded *l);
void loaded_release(struct loaded *l);

#endif /* EXPLORER_LOADED_H */
