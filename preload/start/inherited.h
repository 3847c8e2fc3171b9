/* SPDX-License-Identifier: MIT */
/*
 * inherited.h - descriptors that were there before main: each run finds them as
 * main should.
 *
 * A run is a fork of the zygote, so it shares with it, and with all other runs,
 * what is behind each descriptor: positions, flags, locks, contents, counts.
 */
#ifndef PRELOAD_INHERITED_H
#define PRELOAD_INHERITED_H

#include "preload/core/core.h"

/* Before the program's constructors: these come from outside. */
RUNTIME_HIDDEN void inherited_note_outside(void);
/* In the zygote, before the first run. */
RUNTIME_HIDDEN void inherited_find(void);
/* In the zygote, before each run: what can be put back in its place. */
RUNTIME_HIDDEN void inherited_restore(void);
/* In the forked run: what each run must have anew. */
RUNTIME_HIDDEN void inherited_renew(void);
/* Of enum control_carried: what each run finds as the one before left it. */
RUNTIME_HIDDEN uint64_t inherited_carried(void);
/* Whether inherited_restore() sees to the contents of that file. */
RUNTIME_HIDDEN bool inherited_keeps_file(uint64_t dev, uint64_t ino);

/* fdinfo.c: what the kernel says of a descriptor. */

#define FDINFO_BYTES 8192

/*
 * "KEY:" and the line behind it, or NULL. Into a buffer that all calls share.
 */
RUNTIME_HIDDEN const char *fdinfo_read(int64_t fd);
RUNTIME_HIDDEN const char *fdinfo_find(const char *text, const char *key);
RUNTIME_HIDDEN const char *fdinfo_number(const char *at, uint32_t base,
					 uint64_t *value);

#endif /* PRELOAD_INHERITED_H */
