/* SPDX-License-Identifier: MIT */
/*
 * own_handler.c - a table that is handed over by an atomic exchange, and then used
 * by one thread and by its handler of a signal.
 *
 * Between two stores of one thread nothing of another can be seen to happen: all
 * that others do to the table comes before the exchange. But the handler can. To
 * stop the thread there one has to ask for it, as no two accesses are unordered in
 * any schedule. Argument 1: broken, or ok (the signal is blocked meanwhile).
 */
#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define TURNS 3

static struct {
	volatile int first, second;
} table;

static atomic_int is_ready;
static int has_care;
static sigset_t signals;

static void look(int signal)
{
	(void)signal;
	assert(table.first == table.second);
}

static void change(int value)
{
	table.first = value;
	table.second = value;
}

static void *owner(void *arg)
{
	while (!atomic_exchange(&is_ready, 0))
		sched_yield();
	for (int i = 2; i < 2 + TURNS; i++) {
		if (has_care)
			pthread_sigmask(SIG_BLOCK, &signals, NULL);
		change(i);
		if (has_care)
			pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	}
	return arg;
}

int main(int argc, char **argv)
{
	const struct sigaction act = { .sa_handler = look };
	pthread_t t;

	if (argc != 2)
		return 2;
	has_care = !strcmp(argv[1], "ok");
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaction(SIGUSR1, &act, NULL);
	pthread_create(&t, NULL, owner, NULL);
	change(1);
	atomic_exchange(&is_ready, 1);
	pthread_kill(t, SIGUSR1);
	pthread_join(t, NULL);
	return write(1, "ok\n", 3) == 3 ? 0 : 1;
}
