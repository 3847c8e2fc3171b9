/* SPDX-License-Identifier: MIT */
/*
 * ok_spawn.c - starts programs from two threads: posix_spawn, system
 */
#include <assert.h>
#include <spawn.h>
#include <sys/wait.h>

#include "guest.h"

extern char **environ;

static void *spawn(void *arg)
{
	char name[] = "sh", option[] = "-c", script[] = "exit 5";
	char *argv[] = { name, option, script, NULL };
	int status;
	pid_t pid;

	(void)arg;
	assert(!posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ));
	assert(waitpid(pid, &status, 0) == pid);
	assert(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	return NULL;
}

static void *run_shell(void *arg)
{
	int status = system("exit 6");

	(void)arg;
	assert(WIFEXITED(status) && WEXITSTATUS(status) == 6);
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(spawn, NULL);
	pthread_t u = guest_start(run_shell, NULL);

	guest_join(t);
	guest_join(u);
	return guest_ok();
}
