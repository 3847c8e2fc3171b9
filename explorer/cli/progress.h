/* SPDX-License-Identifier: MIT */
/*
 * progress.h - the line on the terminal while a search runs.
 */
#ifndef EXPLORER_CLI_PROGRESS_H
#define EXPLORER_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "explorer/search/options.h"
#include "explorer/search/tally.h"

struct progress {
	bool is_on;
	bool is_shown;		/* a line stands on the terminal */
	uint64_t next_ns;
	uint64_t start_ns;
};

/* Off when stderr is no terminal. */
void progress_init(struct progress *p, bool is_quiet);
/* Print the line, at most a few times a second. */
void progress_update(struct progress *p, const struct tally *t,
		     const struct options *o);
/* Take the line away, before anything else is printed. */
void progress_clear(struct progress *p);

#endif /* EXPLORER_CLI_PROGRESS_H */
