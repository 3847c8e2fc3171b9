/* SPDX-License-Identifier: MIT */
/*
 * options.c - the command line, as a struct.
 *
 * One row per option in `option_row`, one per command in `command_row`. To add
 * an option: a row, a case in apply(), a line in the man page, a test.
 */
#include "explorer/cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "preload/region/control.h"

/* Bits of `enum command`. */
#define ON(command) (1u << COMMAND_##command)
#define SEARCH (ON(RUN) | ON(RECORD))
#define ANY (ON(NR) - 1u)

enum option_id {
	OPTION_BUDGET = 256,
	OPTION_STRATEGY,
	OPTION_SEED,
	OPTION_JOBS,
	OPTION_MAX_STEPS,
	OPTION_KEEP_GOING,
	OPTION_STDIN,
	OPTION_SHOW_OUTPUT,
	OPTION_OK_EXIT,
	OPTION_NO_GUARD,
	OPTION_WAKE,
	OPTION_TRACES,
	OPTION_RUN_TIMEOUT,
	OPTION_TIME_SLACK,
	OPTION_QUIET,
	OPTION_CLOCK,
	OPTION_RACES,
	OPTION_INSTRUMENT,
	OPTION_NO_INSTRUMENT,
	OPTION_SUPPRESSIONS,
	OPTION_JSON,
	OPTION_HELP,
	OPTION_VERSION,
};

struct option_row {
	const char *name;
	const char *value;	/* what it takes, for the help; NULL: nothing */
	enum option_id id;
	char letter;		/* short form, or 0 */
	uint32_t commands;	/* where it means something */
	const char *help;
};

static const struct option_row option_row[] = {
	{ "budget", "N|TIME", OPTION_BUDGET, 'b', ON(RUN),
	  "stop after N runs, or after 30s, 5m, 2h (default 1000)" },
	{ "strategy", "SPEC", OPTION_STRATEGY, 's', SEARCH,
	  "how schedules are chosen: NAME[:KEY=N,...] or ./FILE.so" },
	{ "seed", "N", OPTION_SEED, 0, SEARCH,
	  "what the search is drawn from (default 1)" },
	{ "jobs", "N", OPTION_JOBS, 'j', ON(RUN),
	  "run N schedules at a time (default 1)" },
	{ "max-steps", "N", OPTION_MAX_STEPS, 0, SEARCH,
	  "scheduling points in one run (default 1000000)" },
	{ "keep-going", NULL, OPTION_KEEP_GOING, 'k', ON(RUN),
	  "collect distinct failures until the budget is used up" },
	{ "stdin", "FILE", OPTION_STDIN, 0, SEARCH,
	  "the target's standard input (default /dev/null)" },
	{ "show-output", NULL, OPTION_SHOW_OUTPUT, 0, SEARCH | ON(REPLAY),
	  "print what the target prints, of every run" },
	{ "ok-exit", "N", OPTION_OK_EXIT, 0, SEARCH,
	  "exit status N is no failure (can be repeated)" },
	{ "wake", "any|fifo", OPTION_WAKE, 0, SEARCH,
	  "which waiter a wake-up takes: any, chosen, or the first (default)" },
	{ "traces", "DIR", OPTION_TRACES, 0,
	  SEARCH | ON(REPLAY) | ON(DUMP) | ON(LS),
	  "where traces are kept (default explore-traces)" },
	{ "run-timeout", "SECONDS", OPTION_RUN_TIMEOUT, 0,
	  SEARCH | ON(REPLAY),
	  "end a run that does nothing for so long (default 30)" },
	{ "time-slack", "MS", OPTION_TIME_SLACK, 0, SEARCH,
	  "let timeouts come this much early (default 100)" },
	{ "clock", "soft|hpc|none|auto", OPTION_CLOCK, 0, SEARCH,
	  "soft: switch at memory accesses, too (default); hpc: anywhere, by "
	  "the processor's branch counter; none: only at synchronisation" },
	{ "races", "report|fail|off", OPTION_RACES, 0, SEARCH,
	  "what a data race is: a note (default), a failure, or nothing" },
	{ "instrument", "PATTERN", OPTION_INSTRUMENT, 0, SEARCH,
	  "watch the accesses of this library, too (can be repeated)" },
	{ "no-instrument", "PATTERN", OPTION_NO_INSTRUMENT, 0, SEARCH,
	  "do not watch the accesses of this file (can be repeated)" },
	{ "suppressions", "FILE", OPTION_SUPPRESSIONS, 0, SEARCH,
	  "races not to mention, as ThreadSanitizer writes them" },
	{ "no-guard", NULL, OPTION_NO_GUARD, 0, SEARCH | ON(REPLAY),
	  "do not keep the target from harming the system" },
	{ "json", NULL, OPTION_JSON, 0, ON(DUMP) | ON(LS),
	  "machine-readable output" },
	{ "quiet", NULL, OPTION_QUIET, 'q', SEARCH | ON(REPLAY),
	  "no progress line and no notes" },
	{ "help", NULL, OPTION_HELP, 'h', ANY, "this text" },
	{ "version", NULL, OPTION_VERSION, 'V', ANY, NULL },
};
#define NR_OPTIONS (sizeof(option_row) / sizeof(option_row[0]))

struct command_row {
	const char *name;
	const char *operands;
	int max_operands;	/* -1: any number */
	const char *summary;
	const char *text;	/* more, for `explore help NAME` */
};

static const struct command_row command_row[COMMAND_NR] = {
	[COMMAND_RUN] = { "run", "PROGRAM [ARG...]", -1,
		"search for a failing schedule (the default command)",
		"Runs the program again and again, each time under another "
		"schedule of its\nthreads, until one fails or the budget is "
		"used up. A failure is replayed once,\nsaved as a trace and "
		"reported.\n" },
	[COMMAND_RECORD] = { "record", "PROGRAM [ARG...]", -1,
		"run once and save a trace, whatever the outcome",
		"Runs the program once under the strategy's first schedule "
		"and saves the trace.\n" },
	[COMMAND_REPLAY] = { "replay", "[TRACE]", 1,
		"repeat a recorded run exactly",
		"Without TRACE: the latest one. Exit status 0 when the "
		"recorded verdict\nwas reproduced, 1 when the run "
		"diverged.\n" },
	[COMMAND_DUMP] = { "dump", "[TRACE]", 1,
		"print a recorded schedule, operation by operation",
		"Without TRACE: the latest one.\n" },
	[COMMAND_LS] = { "ls", "", 0, "list the recorded traces", "" },
	[COMMAND_STRATEGIES] = { "strategies", "", 0,
		"list the strategies and their parameters", "" },
	[COMMAND_DOCTOR] = { "doctor", "", 0,
		"say what this machine offers and what it lacks", "" },
	[COMMAND_HELP] = { "help", "[COMMAND]", 1, "explain a command", "" },
	[COMMAND_VERSION] = { "version", "", 0, "print the version", "" },
};

const char *options_command_name(enum command command)
{
	return command < COMMAND_NR ? command_row[command].name : "?";
}

enum command options_find_command(const char *name)
{
	int i;

	for (i = 0; i < COMMAND_NR; i++)
		if (!strcmp(name, command_row[i].name))
			break;
	return (enum command)i;
}

/* ------------------------------------------------------------- numbers */

/* Digits only: strtoull() alone takes "-1" and " 1". */
static int parse_number(const char *text, uint64_t min, uint64_t max,
			uint64_t *out)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value < min || value > max)
		return -EINVAL;
	*out = value;
	return 0;
}

static uint64_t unit_ns(const char *unit)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} row[] = {
		{ "ms", 1000000ull },
		{ "s", 1000000000ull },
		{ "m", 60 * 1000000000ull },
		{ "min", 60 * 1000000000ull },
		{ "h", 3600 * 1000000000ull },
		{ "d", 86400 * 1000000000ull },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (!strcmp(unit, row[i].name))
			return row[i].ns;
	return 0;
}

/* A time with a unit, at most a year: "30s", "1.5h". 0 when it is none. */
static uint64_t parse_time(const char *text)
{
	const double year_ns = 366 * 86400e9;
	double value = 0, scale = 1;
	const char *p = text;
	uint64_t unit;

	/* By hand: strtod() knows hex, exponents, "inf" and the locale. */
	for (; isdigit((unsigned char)*p); p++)
		value = value * 10 + (*p - '0');
	if (p > text && *p == '.' && isdigit((unsigned char)p[1]))
		for (p++; isdigit((unsigned char)*p); p++)
			value += (*p - '0') * (scale /= 10);
	unit = p > text ? unit_ns(p) : 0;
	if (!unit || value * (double)unit > year_ns)
		return 0;
	return (uint64_t)(value * (double)unit);
}

int options_parse_budget(const char *text, struct budget *budget,
			 struct errbuf *err)
{
	uint64_t runs;

	if (!parse_number(text, 1, UINT64_MAX / 2, &runs)) {
		*budget = (struct budget){ .runs = runs };
		return 0;
	}
	*budget = (struct budget){ .time_ns = parse_time(text) };
	if (budget->time_ns)
		return 0;
	errbuf_addf(err, "bad budget '%s': a number of runs above 0, or a "
		    "time such as 30s, 5m or 2h", text);
	return -EINVAL;
}

static int number(const struct option_row *row, const char *text,
		  uint64_t min, uint64_t max, uint64_t *out,
		  struct errbuf *err)
{
	if (!parse_number(text, min, max, out))
		return 0;
	errbuf_addf(err, "bad value '%s' for --%s: a number from %llu to %llu",
		    text, row->name, (unsigned long long)min,
		    (unsigned long long)max);
	return -EINVAL;
}

/* ------------------------------------------------------------- parsing */

static int apply_wake(struct options *o, const char *value,
		      struct errbuf *err)
{
	o->wakes_any = !strcmp(value, "any");
	if (o->wakes_any || !strcmp(value, "fifo"))
		return 0;
	errbuf_addf(err, "bad value '%s' for --wake: 'any' or 'fifo'", value);
	return -EINVAL;
}

static int apply_clock(struct options *o, const char *value,
		       struct errbuf *err)
{
	static const struct {
		const char *name;
		enum options_clock clock;
	} clocks[] = {
		{ "soft", OPTIONS_CLOCK_SOFT },
		{ "none", OPTIONS_CLOCK_NONE },
		{ "auto", OPTIONS_CLOCK_AUTO },
		{ "hpc", OPTIONS_CLOCK_HPC },
	};

	o->tick_symbol = NULL;
	if (!strncmp(value, "break:", 6) && value[6]) {
		o->clock = OPTIONS_CLOCK_BREAK;
		o->tick_symbol = value + 6;
		return 0;
	}
	for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		o->clock = clocks[i].clock;
		if (!strcmp(value, clocks[i].name))
			return 0;
	}
	errbuf_addf(err, "bad value '%s' for --clock: 'soft', 'hpc', 'none', "
		    "'auto' or 'break:SYMBOL'", value);
	return -EINVAL;
}

static int apply_races(struct options *o, const char *value,
		       struct errbuf *err)
{
	if (!strcmp(value, "report"))
		o->scope.races = ACCESS_RACES_REPORT;
	else if (!strcmp(value, "fail"))
		o->scope.races = ACCESS_RACES_FAIL;
	else if (!strcmp(value, "off"))
		o->scope.races = ACCESS_RACES_OFF;
	else {
		errbuf_addf(err, "bad value '%s' for --races: 'report', 'fail' "
			    "or 'off'", value);
		return -EINVAL;
	}
	return 0;
}

static int add_pattern(const char **pattern, uint32_t *nr,
		       const struct option_row *row, const char *value,
		       struct errbuf *err)
{
	if (*nr == ACCESS_MAX_PATTERNS) {
		errbuf_addf(err, "more than %d times --%s", ACCESS_MAX_PATTERNS,
			    row->name);
		return -EINVAL;
	}
	pattern[(*nr)++] = value;
	return 0;
}

static int apply_scaled(const struct option_row *row, const char *value,
			uint64_t min, uint64_t max, uint64_t scale,
			uint64_t *out, struct errbuf *err)
{
	uint64_t n;
	int rc = number(row, value, min, max, &n, err);

	if (!rc)
		*out = n * scale;
	return rc;
}

static int apply(struct options *o, const struct option_row *row,
		 const char *value, struct errbuf *err)
{
	uint64_t n = 0;
	int rc = 0;

	switch (row->id) {
	case OPTION_BUDGET:
		return options_parse_budget(value, &o->budget, err);
	case OPTION_STRATEGY:
		o->strategy = value;
		break;
	case OPTION_SEED:
		return number(row, value, 0, UINT64_MAX, &o->seed, err);
	case OPTION_JOBS:
		rc = number(row, value, 1, 256, &n, err);
		o->jobs = (uint32_t)n;
		break;
	case OPTION_MAX_STEPS:
		return number(row, value, 1, CONTROL_MAX_STEPS, &o->max_steps,
			      err);
	case OPTION_KEEP_GOING:
		o->is_keep_going = true;
		break;
	case OPTION_STDIN:
		o->stdin_path = value;
		break;
	case OPTION_SHOW_OUTPUT:
		o->shows_output = true;
		break;
	case OPTION_OK_EXIT:
		rc = number(row, value, 0, 255, &n, err);
		o->ok_exit[n] = 1;
		break;
	case OPTION_NO_GUARD:
		o->has_guard = false;
		break;
	case OPTION_WAKE:
		return apply_wake(o, value, err);
	case OPTION_TRACES:
		if (!*value)
			errbuf_addf(err, "--traces wants a directory, not ''");
		o->traces = value;
		return *value ? 0 : -EINVAL;
	case OPTION_RUN_TIMEOUT:
		return apply_scaled(row, value, 1, 86400, 1000,
				    &o->run_timeout_ms, err);
	case OPTION_TIME_SLACK:
		return apply_scaled(row, value, 0, 3600000, 1000000,
				    &o->slack_ns, err);
	case OPTION_CLOCK:
		return apply_clock(o, value, err);
	case OPTION_RACES:
		return apply_races(o, value, err);
	case OPTION_INSTRUMENT:
		return add_pattern(o->scope.only, &o->scope.nr_only, row,
				   value, err);
	case OPTION_NO_INSTRUMENT:
		return add_pattern(o->scope.except, &o->scope.nr_except, row,
				   value, err);
	case OPTION_SUPPRESSIONS:
		o->scope.suppressions = value;
		break;
	case OPTION_QUIET:
		o->is_quiet = true;
		break;
	case OPTION_JSON:
		o->is_json = true;
		break;
	case OPTION_HELP:
	case OPTION_VERSION:
		break;	/* seen by parse_options() */
	}
	return rc;
}

/* The tables as getopt_long() wants them. */
struct getopt_tables {
	struct option longs[NR_OPTIONS + 1];
	char shorts[2 * NR_OPTIONS + 3];
};

static void make_tables(struct getopt_tables *t)
{
	char *p = t->shorts;

	memset(t, 0, sizeof(*t));
	/* '+': stop at the program, whose options are its own. */
	*p++ = '+';
	*p++ = ':';
	for (size_t i = 0; i < NR_OPTIONS; i++) {
		const struct option_row *row = &option_row[i];

		t->longs[i] = (struct option){
			.name = row->name,
			.has_arg = row->value ? required_argument : no_argument,
			.val = (int)row->id,
		};
		if (!row->letter)
			continue;
		*p++ = row->letter;
		if (row->value)
			*p++ = ':';
	}
}

static const struct option_row *find_row(int id)
{
	for (size_t i = 0; i < NR_OPTIONS; i++)
		if ((int)option_row[i].id == id ||
		    (option_row[i].letter && option_row[i].letter == id))
			return &option_row[i];
	return NULL;
}

/* What getopt_long() could not digest, as it was typed. */
static int complain(int id, char **argv, int at, struct errbuf *err)
{
	const char *problem = id == ':' ? "needs a value" : "is unknown";
	const struct option_row *row;

	if (optopt && optopt < 256) {
		errbuf_addf(err, "option '-%c' %s", optopt, problem);
		return -EINVAL;
	}
	row = find_row(optopt);
	if (row && id == ':')
		errbuf_addf(err, "option '--%s' %s", row->name, problem);
	else if (row)
		errbuf_addf(err, "option '--%s' takes no value", row->name);
	else
		errbuf_addf(err, "option '%s' %s", argv[at], problem);
	return -EINVAL;
}

/* Options of argv[first..]; *end is the index of the first operand. */
static int parse_options(struct options *o, int argc, char **argv, int first,
			 int *end, struct errbuf *err)
{
	const struct option_row *row;
	struct getopt_tables t;
	int id, at, rc;

	make_tables(&t);
	opterr = 0;
	optind = 0;	/* glibc: forget an earlier parse */
	argc -= first - 1;
	argv += first - 1;
	for (;;) {
		at = optind ? optind : 1;
		id = getopt_long(argc, argv, t.shorts, t.longs, NULL);
		if (id == -1)
			break;
		row = id == '?' || id == ':' ? NULL : find_row(id);
		if (!row)
			return complain(id, argv, at, err);
		if (row->id == OPTION_HELP || row->id == OPTION_VERSION) {
			/* `explore replay --help` is `explore help replay`. */
			o->about = first == 2 ? o->command : COMMAND_HELP;
			o->command = row->id == OPTION_HELP ? COMMAND_HELP :
							      COMMAND_VERSION;
			*end = argc + first - 1;
			return 0;
		}
		if (!(row->commands & (1u << o->command))) {
			errbuf_addf(err, "option '--%s' means nothing to "
				    "'explore %s'", row->name,
				    options_command_name(o->command));
			return -EINVAL;
		}
		rc = apply(o, row, optarg, err);
		if (rc)
			return rc;
	}
	*end = optind + first - 1;
	return 0;
}

static int check_operands(struct options *o, bool has_options,
			  struct errbuf *err)
{
	const struct command_row *row = &command_row[o->command];

	/*
	 * A command name counts only as the first word; otherwise
	 * `explore test` would be ambiguous.
	 */
	if (row->max_operands < 0 && o->nr_operands && has_options &&
	    options_find_command(o->operand[0]) != COMMAND_NR) {
		errbuf_addf(err, "command '%s' must come before all options "
			    "(a program of that name is './%s')",
			    o->operand[0], o->operand[0]);
		return -EINVAL;
	}
	if (row->max_operands < 0 && !o->nr_operands) {
		errbuf_addf(err, "no program given");
		return -EINVAL;
	}
	if (row->max_operands >= 0 && o->nr_operands > row->max_operands) {
		errbuf_addf(err, "unexpected argument '%s'",
			    o->operand[row->max_operands]);
		return -EINVAL;
	}
	if (o->command == COMMAND_HELP && o->nr_operands) {
		o->about = options_find_command(o->operand[0]);
		if (o->about == COMMAND_NR) {
			errbuf_addf(err, "no command '%s'", o->operand[0]);
			return -EINVAL;
		}
	}
	return 0;
}

static void set_defaults(struct options *o)
{
	*o = (struct options){
		.budget = { .runs = 1000 },
		.seed = 1,
		.jobs = 1,
		.max_steps = 1000000,
		.run_timeout_ms = 30000,
		.slack_ns = 100 * 1000000ull,
		.has_guard = true,
		.scope = { .is_on = true },
		.traces = "explore-traces",
	};
	o->about = COMMAND_HELP;
	o->ok_exit[0] = 1;
}

int options_parse(struct options *o, int argc, char **argv,
		  struct errbuf *err)
{
	static char *none[] = { NULL };
	int first = 1, end = 1, rc;

	set_defaults(o);
	o->operand = none;
	if (argc > 1) {
		enum command command = options_find_command(argv[1]);

		if (command != COMMAND_NR) {
			o->command = command;
			first = 2;
		}
	}
	rc = parse_options(o, argc, argv, first, &end, err);
	if (rc)
		return rc;
	if (end < argc) {
		o->operand = argv + end;
		o->nr_operands = argc - end;
	}
	/* After "--" anything is a program. */
	return check_operands(o, end > first && strcmp(argv[end - 1], "--"),
			      err);
}

/* ---------------------------------------------------------------- help */

static void print_option(FILE *f, const struct option_row *row)
{
	char left[64];
	int n = 0;

	if (row->letter)
		n = snprintf(left, sizeof(left), "-%c, ", row->letter);
	else
		n = snprintf(left, sizeof(left), "    ");
	snprintf(left + n, sizeof(left) - (size_t)n, "--%s%s%s", row->name,
		 row->value ? " " : "", row->value ? row->value : "");
	fprintf(f, "  %-26s %s\n", left, row->help);
}

static void print_command(FILE *f, enum command command)
{
	const struct command_row *row = &command_row[command];
	bool has_options = false;

	fprintf(f, "usage: explore %s%s%s%s\n", row->name,
		command == COMMAND_HELP || command == COMMAND_VERSION ?
		"" : " [OPTION...]", *row->operands ? " " : "",
		row->operands);
	fprintf(f, "\n%s%s%s", row->summary, *row->text ? "\n\n" : "\n",
		row->text);
	for (size_t i = 0; i < NR_OPTIONS; i++) {
		if (!(option_row[i].commands & (1u << command)) ||
		    !option_row[i].help)
			continue;
		if (!has_options)
			fputs("\noptions:\n", f);
		has_options = true;
		print_option(f, &option_row[i]);
	}
}

void options_print_help(FILE *f, enum command command)
{
	if (command != COMMAND_HELP) {
		print_command(f, command);
		return;
	}
	fputs("usage: explore [OPTION...] PROGRAM [ARG...]\n"
	      "       explore COMMAND [OPTION...] ...\n\n"
	      "Runs a multi-threaded program under many thread schedules and "
	      "saves a trace\nof the first that fails, which replays "
	      "exactly.\n\ncommands:\n", f);
	for (int i = 0; i < COMMAND_NR; i++)
		fprintf(f, "  %-12s %s\n", command_row[i].name,
			command_row[i].summary);
	fputs("\nmost used options (all: explore help run):\n", f);
	for (size_t i = 0; i < NR_OPTIONS; i++)
		if (option_row[i].id <= OPTION_KEEP_GOING)
			print_option(f, &option_row[i]);
	fputs("\nexit status: 0 nothing found, 1 failure found, 2 bad usage, "
	      "3 the target could\nnot be controlled or an internal error\n",
	      f);
}
