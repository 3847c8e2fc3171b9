/* SPDX-License-Identifier: MIT */
/*
 * spawn_loop.c - how often a program can be run per second without explore.
 *
 *	spawn_loop SECONDS PROGRAM [ARGUMENT...]
 *
 * posix_spawn() and wait in a tight loop, which is the fastest way to repeat
 * an unmodified program without tricks. Output and input of the program are
 * /dev/null, so that no terminal slows it down; its exit status is ignored,
 * as the program may well have a bug. Pin it with taskset(1).
 *
 * Prints one line: runs, seconds, runs per second, seconds of processor time
 * (this program's and its children's, in user mode and in the kernel).
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double in_seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static double cpu_s(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return in_seconds(&u.ru_utime) + in_seconds(&u.ru_stime);
}

static int quiet_files(posix_spawn_file_actions_t *files)
{
	int err = posix_spawn_file_actions_init(files);

	if (!err)
		err = posix_spawn_file_actions_addopen(files, STDIN_FILENO,
						       "/dev/null", O_RDONLY,
						       0);
	if (!err)
		err = posix_spawn_file_actions_addopen(files, STDOUT_FILENO,
						       "/dev/null", O_WRONLY,
						       0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(files, STDOUT_FILENO,
						       STDERR_FILENO);
	return err;
}

static int run_once(char **argv, const posix_spawn_file_actions_t *files)
{
	pid_t pid;
	int status;
	int err = posix_spawnp(&pid, argv[0], files, NULL, argv, environ);

	if (err)
		return err;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t files;
	unsigned long runs = 0;
	double start, end, limit;
	int err;

	limit = argc > 2 ? strtod(argv[1], NULL) : 0;
	if (!(limit > 0)) {
		fprintf(stderr, "usage: spawn_loop SECONDS PROGRAM [ARG...]\n");
		return 2;
	}
	err = quiet_files(&files);
	start = end = now_s();
	while (!err && end - start < limit) {
		err = run_once(argv + 2, &files);
		runs++;
		end = now_s();
	}
	if (err) {
		fprintf(stderr, "spawn_loop: cannot run '%s': %s\n", argv[2],
			strerror(err));
		return 1;
	}
	posix_spawn_file_actions_destroy(&files);
	printf("%lu %.3f %.1f %.3f\n", runs, end - start,
	       (double)runs / (end - start),
	       cpu_s(RUSAGE_SELF) + cpu_s(RUSAGE_CHILDREN));
	return 0;
}
