/* SPDX-License-Identifier: MIT */
/*
 * ok_ids.c - numbers of processes and threads mean the same to the program, to
 * its children and to the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define MUST(what)                                                        \
	do {                                                              \
		if (!(what)) {                                            \
			fprintf(stderr, "%s: %s\n", #what, strerror(errno)); \
			exit(1);                                          \
		}                                                         \
	} while (0)

static _Atomic int got, sender;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)context;
	sender = info->si_pid;
	got = sig;
}

/* In a child: its parent is who its parent thinks it is, and can be told so. */
static int greet(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		return 2;
	if (getpid() == parent || gettid() != getpid())
		return 3;
	return kill(parent, SIGUSR1) ? 4 : 0;
}

static void check_child(void)
{
	pid_t self = getpid(), child;
	int status;

	got = sender = 0;
	child = fork();
	MUST(child >= 0);
	if (!child)
		_exit(greet(self));
	MUST(waitpid(child, &status, 0) == child);
	MUST(WIFEXITED(status) && !WEXITSTATUS(status));
	while (!got)
		sched_yield();
	MUST(got == SIGUSR1 && sender == child);
}

static void check_memory(pid_t pid)
{
	int from = 5, to = 0;
	struct iovec l = { &to, sizeof(to) }, r = { &from, sizeof(from) };

	MUST(process_vm_readv(pid, &l, 1, &r, 1, 0) == sizeof(to) && to == 5);
	to = 7;
	MUST(process_vm_writev(pid, &l, 1, &r, 1, 0) == sizeof(to));
	MUST(from == 7);
}

static void check_files(pid_t pid, pid_t tid)
{
	struct f_owner_ex owner = { F_OWNER_TID, tid };
	struct ucred peer;
	socklen_t bytes = sizeof(peer);
	int pair[2];

	MUST(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(!fcntl(pair[0], F_SETOWN, pid) && fcntl(pair[0], F_GETOWN) == pid);
	MUST(!fcntl(pair[0], F_SETOWN_EX, &owner));
	MUST(!getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &bytes));
	MUST(peer.pid == pid);
	close(pair[0]);
	close(pair[1]);
}

/* Calls that take the number of a process or of a thread. */
static void check_calls(pid_t pid, pid_t tid)
{
	struct sched_param param;
	struct rlimit limit;
	char path[64];
	int nice, seen[2];
	FILE *stat;

	errno = 0;
	nice = getpriority(PRIO_PROCESS, (id_t)pid);
	MUST(!errno && !setpriority(PRIO_PROCESS, (id_t)tid, nice));
	MUST(!sched_getparam(tid, &param) && sched_getscheduler(pid) >= 0);
	MUST(!prlimit(tid, RLIMIT_NOFILE, NULL, &limit));
	MUST(syscall(SYS_kcmp, pid, tid, 1 /* KCMP_VM */, 0, 0) == 0);
	MUST(getpgid(pid) == getpgrp() && getsid(pid) == getsid(0));
	MUST(!kill(pid, 0) && !tgkill(pid, tid, 0));
	check_memory(pid);
	check_memory(tid);
	check_files(pid, tid);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	MUST(!access(path, R_OK));
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	stat = fopen(path, "r");
	MUST(stat && fscanf(stat, "%d (%*[^)]) %*c %d", &seen[0], &seen[1]) == 2);
	MUST(seen[0] == tid && seen[1] == getppid());
	fclose(stat);
}

/* Blocked, it stays pending for whoever waits for it. */
static void check_pidfd(void)
{
	sigset_t set;
	int fd, sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	MUST(!pthread_sigmask(SIG_BLOCK, &set, NULL));
	fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	MUST(fd >= 0 && !syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	MUST(!syscall(SYS_pidfd_send_signal, fd, SIGUSR2, NULL, 0));
	MUST(!sigwait(&set, &sig) && sig == SIGUSR2);
	close(fd);
}

static void *thread(void *unused)
{

	MUST(gettid() != getpid());
	check_calls(getpid(), gettid());
	check_child();
	return unused;
}

int main(void)
{
	struct sigaction sa = {
		.sa_sigaction = note,
		.sa_flags = SA_SIGINFO | SA_RESTART,
	};
	pthread_t other;

	sigaction(SIGUSR1, &sa, NULL);
	MUST(gettid() == getpid() && getppid() > 1);
	MUST(getpgrp() == getpgid(0));
	other = guest_start(thread, NULL);
	guest_join(other);
	check_pidfd();
	check_calls(getpid(), getpid());
	check_child();
	puts("ok");
	return 0;
}
