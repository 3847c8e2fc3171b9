/* SPDX-License-Identifier: MIT */
/*
 * leftovers.c - leaves processes behind that hold a lock on the file that its
 * first argument names: a child, a grandchild, and daemons that start daemons.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static void rest(void)
{
	for (;;)
		sleep(1000);
}

/* As a daemon does it: a child in a session of its own, and out of that. */
static void start_daemons(int nr)
{
	if (fork())
		return;
	setsid();
	if (fork())
		_exit(0);
	if (nr > 1)
		start_daemons(nr - 1);
	rest();
}

static void *run(void *unused)
{
	if (!fork())
		rest();
	if (!fork()) {
		if (!fork())
			rest();
		_exit(0);
	}
	start_daemons(3);
	return unused;
}

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
	pthread_t thread;

	if (fd < 0 || flock(fd, LOCK_SH) ||
	    pthread_create(&thread, NULL, run, NULL))
		return 2;
	pthread_join(thread, NULL);
	return 0;
}
