/* SPDX-License-Identifier: MIT */
/*
 * ok_fork.c - forks and waits for a child while threads work: correct
 */
#include <assert.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int total, nr_prepared, nr_parents;

static void prepare(void)
{
	nr_prepared++;
}

static void parent(void)
{
	nr_parents++;
}

static void *add(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	total++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	int status, answer = 0, end[2];
	pthread_t t, u;
	pid_t pid;

	assert(!pipe(end));
	pthread_atfork(prepare, parent, NULL);
	t = guest_start(add, NULL);
	u = guest_start(add, NULL);
	pid = fork();
	assert(pid >= 0);
	if (!pid) {
		answer = 42;
		if (write(end[1], &answer, sizeof(answer)) != sizeof(answer))
			_exit(1);
		_exit(7);
	}
	assert(read(end[0], &answer, sizeof(answer)) == sizeof(answer));
	assert(answer == 42);
	assert(waitpid(pid, &status, 0) == pid);
	assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	guest_join(t);
	guest_join(u);
	assert(total == 2 && nr_prepared == 1 && nr_parents == 1);
	return guest_ok();
}
