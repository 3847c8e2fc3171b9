/* SPDX-License-Identifier: MIT */
/*
 * stranger.c - does to the process whose number is its first argument what a
 * program gone wild might do; itself and from a child. Its own children it may
 * signal. Ends with 0 when nothing got through but that.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *failed;

static void refused(long result, const char *what)
{
	if (result != -1 || (errno != EPERM && errno != ESRCH))
		failed = what;
}

/* Returns whether nothing got through. */
static int try_all(pid_t pid)
{
	struct rlimit limit = { 64, 64 };
	struct sched_param param = { 0 };
	char byte = 0;
	struct iovec v = { &byte, 1 };
	siginfo_t info = { .si_code = SI_QUEUE };

	refused(kill(pid, SIGTERM), "kill");
	refused(kill(-pid, SIGTERM), "kill of a group");
	refused(kill(-1, 0), "kill of everybody");
	refused(syscall(SYS_tkill, pid, SIGTERM), "tkill");
	refused(syscall(SYS_tgkill, pid, pid, SIGTERM), "tgkill");
	refused(syscall(SYS_rt_sigqueueinfo, pid, SIGTERM, &info), "sigqueue");
	refused(syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGTERM, &info),
		"tgsigqueue");
	refused(syscall(SYS_pidfd_open, pid, 0), "pidfd_open");
	refused(ptrace(PTRACE_SEIZE, pid, 0, 0), "ptrace");
	refused(process_vm_writev(pid, &v, 1, &v, 1, 0), "writev");
	refused(setpriority(PRIO_PROCESS, (id_t)pid, 19), "setpriority");
	refused(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), "prlimit");
	refused(sched_setscheduler(pid, SCHED_BATCH, &param), "scheduler");
	return !failed;
}

static int try_in_child(pid_t pid)
{
	pid_t child = fork();
	int status = 0;

	if (!child)
		_exit(!try_all(pid));
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		failed = "in a child";
	return !failed;
}

static int end_child(void)
{
	pid_t child = fork();
	int status = 0;

	if (!child)
		for (;;)
			pause();
	if (setpriority(PRIO_PROCESS, (id_t)child, 19) ||
	    kill(child, SIGTERM) || waitpid(child, &status, 0) != child ||
	    WTERMSIG(status) != SIGTERM)
		failed = "to a child of its own";
	return !failed;
}

static void *run(void *pid)
{
	if (!try_all(*(pid_t *)pid) || !try_in_child(*(pid_t *)pid) ||
	    !end_child()) {
		printf("got through: %s\n", failed);
		exit(1);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pid_t pid = argc > 1 ? atoi(argv[1]) : 0;
	pthread_t thread;

	if (pid <= 1 || pthread_create(&thread, NULL, run, &pid))
		return 2;
	pthread_join(thread, NULL);
	return 0;
}
