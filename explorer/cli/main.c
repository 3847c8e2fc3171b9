/* SPDX-License-Identifier: MIT */
/*
 * main.c - picks the subcommand.
 */
#include "explorer/cli/commands.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "explorer/target/rlimits.h"
#include "explorer/cli/options.h"
#include "base/util.h"
#include "explorer/cli/message.h"
#include "explorer/target/target.h"

static int cmd_help(const struct options *o)
{
	options_print_help(stdout, o->about);
	return EXIT_NOTHING_FOUND;
}

static int cmd_version(const struct options *o)
{
	(void)o;
	puts("explore " EXPLORE_VERSION);
	return EXIT_NOTHING_FOUND;
}

static int (*const command[COMMAND_NR])(const struct options *) = {
	[COMMAND_RUN] = cmd_run,
	[COMMAND_RECORD] = cmd_record,
	[COMMAND_REPLAY] = cmd_replay,
	[COMMAND_DUMP] = cmd_dump,
	[COMMAND_LS] = cmd_ls,
	[COMMAND_STRATEGIES] = cmd_strategies,
	[COMMAND_DOCTOR] = cmd_doctor,
	[COMMAND_HELP] = cmd_help,
	[COMMAND_VERSION] = cmd_version,
};

static _Noreturn void usage(const struct options *o, const char *problem)
{
	warn("%s", problem);
	fprintf(stderr, "usage: explore [OPTION...] PROGRAM [ARG...]; see "
		"'explore help%s%s'\n", o->command == COMMAND_RUN ? "" : " ",
		o->command == COMMAND_RUN ? "" :
		options_command_name(o->command));
	exit(EXIT_USAGE);
}

/*
 * Started with one of them closed, the next file that is opened would get its
 * number, and messages would go there. Who closes standard output wants the
 * exit status only.
 */
static void open_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct errbuf err = ERRBUF_INIT;
	struct options o;
	int status;

	open_standard_files();
	/* A write beyond `ulimit -f` fails with a message, as others do. */
	signal(SIGXFSZ, SIG_IGN);
	limits_raise();
	if (options_parse(&o, argc, argv, &err))
		usage(&o, err.text);
	status = command[o.command](&o);
	/* A full disk behind stdout must not look like success. */
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_NO_CONTROL, "cannot write to standard output");
	return status;
}
