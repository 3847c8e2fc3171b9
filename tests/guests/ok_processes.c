/* SPDX-License-Identifier: MIT */
/*
 * Correct: children made in each of the ways there are, by two threads at a
 * time. Those that share the memory leave something in it; others have a copy,
 * and perhaps a stack of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *how;
static _Thread_local int mark;

static void check(int good)
{
	if (!good)
		abort();
}

static void ends(pid_t pid, int code)
{
	int status = -1;

	check(pid > 0 && waitpid(pid, &status, 0) == pid);
	check(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

/* Needs more of the stack than its caller has used. */
static __attribute__((noinline)) int dig(int depth)
{
	volatile char room[512];

	memset((char *)room, depth, sizeof(room));
	return depth ? dig(depth - 1) + room[depth] : room[0];
}

static void by_vfork(void)
{
	volatile int shared = 0, error = 0;
	pid_t pid = vfork();

	if (!pid) {
		shared = 5 + 0 * dig(20);
		mark = 6;
		_exit(7);
	}
	ends(pid, 7);
	check(shared == 5 && mark == 6);
	pid = vfork();
	if (!pid) {
		execl("/nowhere", "nowhere", (char *)NULL);
		error = errno;
		_exit(127);
	}
	ends(pid, 127);
	check(error == ENOENT);
	pid = vfork();
	if (!pid) {
		execl("/bin/sh", "sh", "-c", "exit 3", (char *)NULL);
		_exit(127);
	}
	ends(pid, 3);
}

static void by_spawn(void)
{
	char name[] = "sh", option[] = "-c", script[] = "exit 4";
	char *const argv[] = { name, option, script, NULL };
	char text[16] = "";
	pid_t pid;
	FILE *f;

	check(posix_spawn(&pid, "/nowhere", NULL, NULL, argv, environ) ==
	      ENOENT);
	check(posix_spawn(&pid, "/dev/null", NULL, NULL, argv, environ) ==
	      EACCES);
	check(!posix_spawnp(&pid, "sh", NULL, NULL, argv, environ));
	ends(pid, 4);
	check(WEXITSTATUS(system("exit 5")) == 5);
	f = popen("echo text", "r");
	check(f && fgets(text, sizeof(text), f) && !strcmp(text, "text\n"));
	check(!pclose(f));
}

static int in_clone(void *arg)
{
	*(int *)arg += 1;
	dig(10);
	return *(int *)arg;
}

#define STACK_BYTES 65536

static void by_clone(void)
{
	char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	char *top = stack + STACK_BYTES;
	int n = 7, parent_tid = 0, pidfd = -1;
	pid_t pid;

	check(stack != MAP_FAILED);
	ends(clone(in_clone, top, SIGCHLD, &n), 8);
	check(n == 7);
	ends(clone(in_clone, top, CLONE_FILES | CLONE_FS | SIGCHLD, &n), 8);
	ends(clone(in_clone, top, CLONE_VM | CLONE_VFORK | SIGCHLD, &n), 8);
	check(n == 8);
	pid = clone(in_clone, top, CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID |
		    SIGCHLD, &n, &parent_tid);
	check(parent_tid == pid);
	ends(pid, 9);
	pid = clone(in_clone, top, CLONE_PIDFD | SIGCHLD, &n, &pidfd);
	check(pidfd >= 0 && fcntl(pidfd, F_GETFD) == FD_CLOEXEC);
	close(pidfd);
	ends(pid, 10);
	check(clone(in_clone, top, CLONE_SIGHAND | SIGCHLD, &n) == -1 &&
	      errno == EINVAL);
	check(clone(in_clone, top, CLONE_THREAD | SIGCHLD, &n) == -1 &&
	      errno == EINVAL);
	munmap(stack, STACK_BYTES);
}

/* struct clone_args, which not all headers have. */
struct args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack,
		stack_size, tls, set_tid, set_tid_size, cgroup;
};

static void by_clone3(void)
{
	int pidfd = -1, tid = 0;
	struct args a = {
		.flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
		.pidfd = (uintptr_t)&pidfd,
		.parent_tid = (uintptr_t)&tid,
		.exit_signal = SIGCHLD,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &a, sizeof(a));

	if (!pid)
		_exit(11);
	check(pidfd >= 0 && tid == pid);
	close(pidfd);
	ends(pid, 11);
	a.exit_signal = 1000;
	check(syscall(SYS_clone3, &a, sizeof(a)) == -1 && errno == EINVAL);
	check(syscall(SYS_clone3, &a, 8) == -1 && errno == EINVAL);
}

static void *worker(void *arg)
{
	if (!strcmp(how, "vfork"))
		by_vfork();
	else if (!strcmp(how, "spawn"))
		by_spawn();
	else if (!strcmp(how, "clone"))
		by_clone();
	else
		by_clone3();
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t;

	how = argc > 1 ? argv[1] : "vfork";
	check(!pthread_create(&t, NULL, worker, NULL));
	worker(NULL);
	check(!pthread_join(t, NULL));
	check(write(1, "ok\n", 3) == 3);
	return 0;
}
