/* SPDX-License-Identifier: MIT */
/*
 * region.h - is what a run left in the control region what the runtime wrote?
 *
 * The region is mapped into the target, so a target gone wild may have written
 * to it. What the tool uses as a count, an index or a string is looked at once,
 * after each run; what only the tool writes must be as it was.
 */
#ifndef EXPLORER_REGION_H
#define EXPLORER_REGION_H

#include "preload/region/control.h"

/* What the tool knows of the region; its own copy. */
struct region {
	struct control_config config;
	uint32_t nr_modules;	/* at main; a run only adds to them */
	uint32_t nr_areas, nr_access;
};

/* Before a run. `nr_modules`: those at main. */
void region_note(struct region *r, const struct control *c,
		 uint32_t nr_modules);

/* After it. Returns NULL when all is well; else what is not. */
const char *region_check(const struct region *r, const struct control *c);

/*
 * Not all was well: what is counted there is nothing, so it can be looked at.
 */
void region_reset(const struct region *r, struct control *c);

#endif /* EXPLORER_REGION_H */
