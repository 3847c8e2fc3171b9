/* SPDX-License-Identifier: MIT */
/*
 * noted.c - fails in the way that its first argument says, so that the report
 * has something to tell; the comments of the lines are what tests look for.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int *volatile number;
static int descriptor;
static int pipe_fd[2];

static void start(pthread_t *t, void *(*routine)(void *))
{
	if (pthread_create(t, NULL, routine, NULL))
		_exit(2);
}

/* ----------------------------------------------------------- cancellation */

static void *wait_for_signal(void *unused)
{
	pthread_mutex_lock(&lock);
	for (;;)
		pthread_cond_wait(&cond, &lock);
	return unused;
}

static void *test_cancel(void *unused)
{
	for (;;) {
		pthread_testcancel();
		sched_yield();	/* no cancellation point */
	}
	return unused;
}

static void *read_pipe(void *unused)
{
	char byte;

	while (read(pipe_fd[0], &byte, 1) != 1)
		;
	return unused;
}

static int cancel(void *(*routine)(void *))
{
	pthread_t t;
	void *result;

	if (pipe(pipe_fd))
		return 2;
	start(&t, routine);
	usleep(1000);
	pthread_cancel(t);
	pthread_join(t, &result);
	if (result == PTHREAD_CANCELED)
		abort();
	return 0;
}

/* ------------------------------------------------------------------ files */

static void *close_it(void *unused)
{
	close(descriptor);
	return unused;
}

static int close_early(void)
{
	char path[] = "noted-file";
	pthread_t t;

	descriptor = open(path, O_CREAT | O_RDWR, 0600);
	unlink(path);
	start(&t, close_it);
	if (write(descriptor, "x", 1) != 1)
		abort();
	pthread_join(t, NULL);
	return 0;
}

/* ----------------------------------------------------------------- memory */

static void *free_it(void *unused)
{
	free(number);
	return unused;
}

static int free_early(void)
{
	pthread_t t;
	int sum = 0;

	number = malloc(sizeof(*number));
	*number = 1;
	start(&t, free_it);
	sum += *number;
	pthread_join(t, NULL);
	return sum == 1 ? 0 : 5;
}

/* ----------------------------------------------------------------- faults */

static int fault(const char *how)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	int *volatile place = (int *)(uintptr_t)24;
	void (*volatile function)(void) = (void (*)(void))(uintptr_t)16;

	if (!strcmp(how, "read"))
		return *place;
	if (!strcmp(how, "write"))
		*(volatile char *)(page + 8) = 1;
	if (!strcmp(how, "execute"))
		function();
	if (!strcmp(how, "raise"))
		raise(SIGSEGV);
	place = (int *)0x8000000000000000ull;
	return *place + 1;
}

/* -------------------------------------------------------------- processes */

static void *hold_lock(void *unused)
{
	pthread_mutex_lock(&lock);
	usleep(100);
	pthread_mutex_unlock(&lock);
	return unused;
}

static void *hold_table(void *unused)
{
	pthread_rwlock_wrlock(&table);
	usleep(100);
	pthread_rwlock_unlock(&table);
	return unused;
}

static void child_locks(void)
{
	pthread_mutex_lock(&lock);
}

static void child_reads_table(void)
{
	pthread_rwlock_rdlock(&table);
}

static void child_reads_pipe(void)
{
	char byte;

	if (read(pipe_fd[0], &byte, 1) != 1)
		_exit(1);
}

static int fork_with(void *(*routine)(void *), void (*child)(void))
{
	pthread_t t;
	pid_t pid;

	if (pipe(pipe_fd))
		return 2;
	start(&t, routine);
	pid = fork();
	if (!pid) {
		child();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	pthread_join(t, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void *(*routine)(void *);
		void (*child)(void);
	} children[] = {
		{ "fork-mutex", hold_lock, child_locks },
		{ "fork-rwlock", hold_table, child_reads_table },
		{ "fork-pipe", hold_lock, child_reads_pipe },
	};
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "cancel-wait"))
		return cancel(wait_for_signal);
	if (!strcmp(what, "cancel-test"))
		return cancel(test_cancel);
	if (!strcmp(what, "cancel-read"))
		return cancel(read_pipe);
	if (!strcmp(what, "close"))
		return close_early();
	if (!strcmp(what, "free"))
		return free_early();
	for (size_t i = 0; i < sizeof(children) / sizeof(*children); i++)
		if (!strcmp(what, children[i].name))
			return fork_with(children[i].routine,
					 children[i].child);
	return fault(what);
}
