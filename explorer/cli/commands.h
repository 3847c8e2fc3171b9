/* SPDX-License-Identifier: MIT */
/*
 * commands.h - one function for each subcommand; it returns the exit status.
 */
#ifndef EXPLORER_CLI_COMMANDS_H
#define EXPLORER_CLI_COMMANDS_H

#include "explorer/search/options.h"

int cmd_run(const struct options *o);
int cmd_record(const struct options *o);
int cmd_replay(const struct options *o);
int cmd_dump(const struct options *o);
int cmd_ls(const struct options *o);
int cmd_strategies(const struct options *o);
int cmd_doctor(const struct options *o);

#endif /* EXPLORER_CLI_COMMANDS_H */
