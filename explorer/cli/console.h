/* SPDX-License-Identifier: MIT */
/*
 * console.h - what a search finds, on stdout and stderr as it goes.
 */
#ifndef EXPLORER_CLI_CONSOLE_H
#define EXPLORER_CLI_CONSOLE_H

#include "explorer/cli/progress.h"
#include "explorer/search/search.h"

struct console {
	const struct options *o;
	struct progress progress;
	struct search_observer observer;	/* its data is the console */
};

/* `c` must not move while its observer is in use. `o` is borrowed. */
void console_init(struct console *c, const struct options *o);

#endif /* EXPLORER_CLI_CONSOLE_H */
