/* SPDX-License-Identifier: MIT */
/*
 * killed.c - a program that SIGKILL ends.
 *
 *   killed WAY
 *
 * self, group: it sends it. child: a child of it does. limit: the kernel does,
 * when it has used too much time of the processor.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void end_self(void)
{
	kill(getpid(), SIGKILL);
}

static void end_group(void)
{
	setpgid(0, 0);
	kill(0, SIGKILL);
}

static void end_by_child(void)
{
	pid_t parent = getpid();

	if (!fork()) {
		kill(parent, SIGKILL);
		_exit(0);
	}
	for (;;)
		pause();
}

static void end_by_limit(void)
{
	const struct rlimit second = { 1, 1 };
	volatile unsigned int turn = 0;

	setrlimit(RLIMIT_CPU, &second);
	for (;;)
		turn++;
}

static const struct {
	const char *name;
	void (*end)(void);
} ways[] = {
	{ "self", end_self },
	{ "group", end_group },
	{ "child", end_by_child },
	{ "limit", end_by_limit },
};

static void *work(void *arg)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(arg, ways[i].name))
			ways[i].end();
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t;

	if (argc != 2)
		return 2;
	pthread_create(&t, NULL, work, argv[1]);
	pthread_join(t, NULL);
	return 0;
}
