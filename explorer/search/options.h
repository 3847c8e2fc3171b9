/* SPDX-License-Identifier: MIT */
/*
 * options.h - what the tool is asked to do; the command line fills it in.
 *
 * Strings live as long as the command line does.
 */
#ifndef EXPLORER_SEARCH_OPTIONS_H
#define EXPLORER_SEARCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "explorer/target/access.h"

enum command {
	COMMAND_RUN = 0,
	COMMAND_RECORD,
	COMMAND_REPLAY,
	COMMAND_DUMP,
	COMMAND_LS,
	COMMAND_STRATEGIES,
	COMMAND_DOCTOR,
	COMMAND_HELP,
	COMMAND_VERSION,
	COMMAND_NR,
};

/* --clock: what can preempt a task between two operations. */
enum options_clock {
	OPTIONS_CLOCK_SOFT = 0,
	OPTIONS_CLOCK_NONE,
	OPTIONS_CLOCK_AUTO,
	OPTIONS_CLOCK_HPC,
	OPTIONS_CLOCK_BREAK,
};

/* Exactly one of the two is not 0. */
struct budget {
	uint64_t runs;
	uint64_t time_ns;
};

struct options {
	enum command command;
	enum command about;	/* COMMAND_HELP: what to explain; itself: all */
	struct budget budget;
	const char *strategy;	/* NULL: the default */
	uint64_t seed;
	uint32_t jobs;
	uint64_t max_steps;
	uint64_t run_timeout_ms;
	uint64_t slack_ns;
	bool is_keep_going;
	bool shows_output;
	bool has_guard;
	bool wakes_any;
	bool is_quiet;
	bool is_json;
	uint8_t ok_exit[256];	/* 1: this exit status is no failure */
	struct access_scope scope;	/* which accesses are watched */
	enum options_clock clock;
	const char *tick_symbol;	/* --clock break:SYMBOL */
	const char *stdin_path;	/* NULL: /dev/null */
	const char *traces;	/* directory */
	/*
	 * What follows the options: run and record: the program and its
	 * arguments; replay and dump: at most one trace. NULL-terminated.
	 */
	char **operand;
	int nr_operands;
};

#endif /* EXPLORER_SEARCH_OPTIONS_H */
