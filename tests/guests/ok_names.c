/* SPDX-License-Identifier: MIT */
/*
 * Correct: threads have names: the program's at first, which they inherit, then
 * what they or others call them, blocked or not, by prctl or through /proc.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static sem_t go;
static char program[16];
static int pipes[2];

static void check(int good)
{
	if (!good)
		abort();
}

static void expect(pthread_t thread, const char *name)
{
	char found[16] = "";

	check(!pthread_getname_np(thread, found, sizeof(found)));
	check(!strcmp(found, name));
}

static void *inherits(void *arg)
{
	char name[16];

	check(!prctl(PR_GET_NAME, name) && !strcmp(name, program));
	return arg;
}

static void *is_named(void *arg)
{
	sem_wait(&go);
	expect(pthread_self(), "by another");
	check(!prctl(PR_SET_NAME, "longer than fifteen"));
	expect(pthread_self(), "longer than fif");
	return arg;
}

static void *reads(void *arg)
{
	char c;

	check(read(pipes[0], &c, 1) == 1);
	expect(pthread_self(), "reader");
	return arg;
}

/* As another tool would do it. */
static void through_proc(void)
{
	char path[64], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", (int)getpid(),
		 (int)gettid());
	fd = open(path, O_WRONLY);
	check(fd >= 0 && write(fd, "itself\n", 7) == 7 && !close(fd));
	expect(pthread_self(), "itself");
	fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
	check(fd >= 0 && read(fd, text, sizeof(text)) == 7 && !close(fd));
	check(!strcmp(text, "itself\n"));
}

/* A child has the name of the thread that made it. */
static void *in_child(void *arg)
{
	int status;
	pid_t pid;

	pthread_setname_np(pthread_self(), "parent");
	pid = fork();
	if (!pid) {
		char name[16];

		_exit(prctl(PR_GET_NAME, name) || strcmp(name, "parent"));
	}
	check(waitpid(pid, &status, 0) == pid && !status);
	return arg;
}

int main(void)
{
	pthread_t t, u, v;

	sem_init(&go, 0, 0);
	check(!pipe(pipes));
	check(!prctl(PR_GET_NAME, program));
	check(!strncmp(program, strrchr(program_invocation_name, '/') + 1, 15));
	pthread_create(&t, NULL, inherits, NULL);
	pthread_join(t, NULL);
	pthread_create(&t, NULL, is_named, NULL);
	pthread_create(&u, NULL, reads, NULL);
	check(!pthread_setname_np(t, "by another"));
	expect(t, "by another");
	check(pthread_setname_np(t, "longer than fifteen") == ERANGE);
	sem_post(&go);
	check(!pthread_setname_np(u, "reader"));
	expect(u, "reader");
	check(write(pipes[1], "", 1) == 1);
	pthread_join(t, NULL);
	pthread_join(u, NULL);
	through_proc();
	pthread_create(&v, NULL, in_child, NULL);
	pthread_join(v, NULL);
	check(write(1, "ok\n", 3) == 3);
	return 0;
}
