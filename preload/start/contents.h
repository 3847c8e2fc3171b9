/* SPDX-License-Identifier: MIT */
/* contents.h - copies of what files without a name, and pipes, have in them. */
#ifndef PRELOAD_CONTENTS_H
#define PRELOAD_CONTENTS_H

#include "preload/core/core.h"

struct contents {
	uint8_t *saved;		/* NULL: nothing is kept */
	uint64_t bytes;
};

/* In the zygote. False: they are too many bytes, or cannot be read. */
RUNTIME_HIDDEN bool contents_keep_file(struct contents *c, int64_t fd);
RUNTIME_HIDDEN bool contents_keep_pipe(struct contents *c, int64_t fd);
RUNTIME_HIDDEN bool contents_keep_memory(struct contents *c, uint64_t start,
					 uint64_t bytes);

/* In the zygote: put them back. False: the kernel does not let us. */
RUNTIME_HIDDEN bool contents_restore_file(const struct contents *c,
					  int64_t fd);
RUNTIME_HIDDEN void contents_restore_memory(const struct contents *c,
					    uint64_t start);

#endif /* PRELOAD_CONTENTS_H */
