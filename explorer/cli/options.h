/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line, as a struct.
 *
 * Pure: parsing prints nothing, opens nothing and never exits, so that it can
 * be tested and fuzzed. Strings point into argv and live as long as it does.
 */
#ifndef EXPLORER_CLI_OPTIONS_H
#define EXPLORER_CLI_OPTIONS_H

#include <stdio.h>

#include "base/errbuf.h"
#include "explorer/search/options.h"

/*
 * Parse argv[1..]. Returns 0, or -EINVAL with `err` filled and o->command set
 * as far as it was understood.
 */
int options_parse(struct options *o, int argc, char **argv,
		  struct errbuf *err);

/* "1000", "30s", "5m", "2h", "1.5h". Returns 0 or -EINVAL with `err`. */
int options_parse_budget(const char *text, struct budget *budget,
			 struct errbuf *err);

/* Name as typed: "run", "replay", ... */
const char *options_command_name(enum command command);

/* Long help of one command, or of the whole tool for COMMAND_HELP. */
void options_print_help(FILE *f, enum command command);

/* Find a command by its name; COMMAND_NR when there is none. */
enum command options_find_command(const char *name);

#endif /* EXPLORER_CLI_OPTIONS_H */
