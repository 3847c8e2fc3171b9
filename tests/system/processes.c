/* SPDX-License-Identifier: MIT */
/* processes.c - fork(2), vfork(2), clone(2), execve(2), wait(2), ids, prctl(2). */
#include "system.h"

#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

extern char **environ;

/* A child has a copy of the memory, and its status arrives. */
static void fork_copies(void)
{
	volatile int x = 1;
	pid_t child = fork();
	int status;

	if (!child) {
		x = 2;
		_exit(x + 40);
	}
	TELL_TRUE(child > 0 && child != getpid());
	TELL_TRUE(waitpid(child, &status, 0) == child);
	TELL_TRUE(WIFEXITED(status));
	TELL((long)WEXITSTATUS(status));
	TELL((long)x);
	TELL(waitpid(child, &status, 0));
	TELL(wait(NULL));
}

/* Two threads that each start and await children. */
static void *three_children(void *arg)
{
	long sum = 0;

	for (int i = 0; i < 3; i++) {
		pid_t child = fork();
		int status;

		if (!child)
			_exit((int)(intptr_t)arg + i);
		if (waitpid(child, &status, 0) != child)
			return (void *)-1;
		sum += WEXITSTATUS(status);
	}
	return (void *)sum;
}

static void threads_fork(void)
{
	pthread_t a = start(three_children, (void *)10);
	pthread_t b = start(three_children, (void *)20);

	TELL((long)join(a));
	TELL((long)join(b));
}

/* A vfork child runs in the parent's memory. */
static void vfork_shares(void)
{
	volatile int error = 0;
	pid_t child = vfork();
	int status;

	if (!child) {
		execl("/nonexistent/program", "program", (char *)NULL);
		error = errno;
		_exit(127);
	}
	TELL_TRUE(waitpid(child, &status, 0) == child);
	TELL((long)WEXITSTATUS(status));
	TELL_TRUE(error == ENOENT);
}

/* posix_spawn(3), with actions, and its errors. */
static void spawns(void)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"echo spawned; exit 3",
			 NULL };
	posix_spawn_file_actions_t actions;
	char buf[16] = "";
	pid_t child;
	int p[2], status;

	if (pipe(p))
		abort();
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, p[1], 1);
	TELL_ERROR(posix_spawn(&child, "/bin/sh", &actions, NULL, argv, environ));
	TELL_TRUE(waitpid(child, &status, 0) == child);
	TELL((long)WEXITSTATUS(status));
	TELL(read(p[0], buf, sizeof(buf)));
	say("%s", buf);
	TELL_ERROR(posix_spawn(&child, "/nonexistent", NULL, NULL, argv, environ));
	TELL_ERROR(posix_spawnp(&child, "no-such-program", NULL, NULL, argv,
				environ));
	posix_spawn_file_actions_destroy(&actions);
}

/* system(3) and popen(3) from threads. */
static void *run_shell(void *arg)
{
	char line[32] = "";
	FILE *f = popen(arg, "r");

	if (!f || !fgets(line, sizeof(line), f) || pclose(f))
		return (void *)-1;
	return (void *)(intptr_t)atoi(line);
}

static void shells(void)
{
	pthread_t a = start(run_shell, (void *)"echo 11");
	pthread_t b = start(run_shell, (void *)"echo 22");

	TELL((long)join(a));
	TELL((long)join(b));
	TELL((long)WEXITSTATUS(system("exit 4")));
	TELL(system("exit 0"));
	TELL_TRUE(system(NULL) != 0);
}

/* clone(2) of a process with a stack of its own. */
static int child_main(void *arg)
{
	return *(int *)arg + 1;
}

static void clones(void)
{
	size_t bytes = 65536;
	char *stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int arg = 8, status;
	pid_t child = clone(child_main, stack + bytes, SIGCHLD, &arg);

	TELL_TRUE(waitpid(child, &status, 0) == child);
	TELL((long)WEXITSTATUS(status));
	child = clone(child_main, stack + bytes, CLONE_VM | CLONE_VFORK | SIGCHLD,
		      &arg);
	TELL_TRUE(waitpid(child, &status, 0) == child);
	TELL((long)WEXITSTATUS(status));
	TELL(clone(child_main, NULL, SIGCHLD, &arg));
}

/* Ids of the process and of its threads. */
static void *thread_ids(void *arg)
{
	pid_t tid = gettid();

	return (void *)(intptr_t)((tid == getpid()) + 2 * (getpid() != (pid_t)(intptr_t)arg) +
				  4 * (tid <= 0) + 8 * (syscall(SYS_tgkill, getpid(), tid, 0) != 0));
}

static void ids(void)
{
	int status;
	pid_t child, me = getpid();

	TELL_TRUE(gettid() == getpid());
	TELL((long)join(start(thread_ids, (void *)(intptr_t)getpid())));
	child = fork();
	if (!child)
		_exit((getppid() != me) + 2 * (getpid() == me) +
		      4 * (gettid() != getpid()));
	TELL_TRUE(waitpid(child, &status, 0) == child);
	TELL((long)WEXITSTATUS(status));
	TELL_TRUE(getpgid(0) == getpgrp() && getsid(0) > 0);
	TELL_TRUE(getpgid(getpid()) == getpgrp());
	TELL_TRUE(getppid() > 0);
}

/* waitid(2), WNOWAIT, WNOHANG, and what a child used. */
static void waitids(void)
{
	siginfo_t info = { 0 };
	struct rusage usage;
	pid_t child = fork();

	if (!child)
		_exit(6);
	TELL(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
	TELL_TRUE(info.si_pid == child && info.si_code == CLD_EXITED);
	TELL((long)info.si_status);
	TELL(waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
	TELL(waitid(P_ALL, 0, &info, WEXITED));
	TELL(waitid(P_ALL, 0, &info, 0));
	child = fork();
	if (!child) {
		raise(SIGKILL);
	}
	TELL_TRUE(wait4(child, NULL, 0, &usage) == child);
	TELL(getrusage(RUSAGE_CHILDREN, &usage));
}

/* A pidfd of oneself and of a child. */
static void pidfds(void)
{
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0), fd;
	siginfo_t info = { 0 };
	struct pollfd p = { .events = POLLIN };
	pid_t child;

	TELL_TRUE(self >= 0);
	TELL(syscall(SYS_pidfd_send_signal, self, 0, NULL, 0));
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	fd = (int)syscall(SYS_pidfd_open, child, 0);
	TELL_TRUE(fd >= 0);
	TELL(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
	p.fd = fd;
	TELL(poll(&p, 1, -1));
	TELL(waitid((idtype_t)3 /* P_PIDFD */, (id_t)fd, &info, WEXITED));
	TELL_TRUE(info.si_code == CLD_KILLED && info.si_status == SIGTERM);
	TELL(syscall(SYS_pidfd_open, -1, 0));
}

/* Names of threads: one's own and another's. */
static sem_t named, checked;

static void *has_name(void *arg)
{
	char name[16];

	prctl(PR_GET_NAME, name);
	sem_post(&named);
	sem_wait(&checked);
	return (void *)(intptr_t)strcmp(name, arg);
}

static void names(void)
{
	char name[16] = "";
	pthread_t t;

	sem_init(&named, 0, 0);
	sem_init(&checked, 0, 0);
	TELL(prctl(PR_GET_NAME, name));
	say("%s\n", name);
	TELL(prctl(PR_SET_NAME, "a-name-that-is-too-long"));
	TELL(prctl(PR_GET_NAME, name));
	say("%s\n", name);
	t = start(has_name, (void *)"a-name-that-is-");
	sem_wait(&named);
	TELL_ERROR(pthread_setname_np(t, "other"));
	TELL_ERROR(pthread_getname_np(t, name, sizeof(name)));
	say("%s\n", name);
	TELL_ERROR(pthread_setname_np(t, "much-too-long-a-name"));
	sem_post(&checked);
	TELL((long)join(t));
}

/* /proc of oneself, by the number and by `self`. */
static void *read_task(void *arg)
{
	char path[64], line[64] = "";
	int f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", gettid());
	f = open(path, O_RDONLY);
	if (f < 0 || read(f, line, sizeof(line) - 1) <= 0)
		return (void *)(intptr_t)-errno;
	close(f);
	return (void *)(intptr_t)strcmp(line, arg);
}

static void procs(void)
{
	char path[64], buf[64] = "";
	int f, pid = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", getpid());
	f = open(path, O_RDONLY);
	TELL_TRUE(f >= 0);
	TELL_TRUE(read(f, buf, sizeof(buf) - 1) > 0 &&
		  sscanf(buf, "%d", &pid) == 1 && pid == getpid());
	close(f);
	memset(buf, 0, sizeof(buf));
	TELL_TRUE(readlink("/proc/self", buf, sizeof(buf) - 1) > 0 &&
		  atoi(buf) == getpid());
	prctl(PR_SET_NAME, "in-proc");
	TELL((long)join(start(read_task, (void *)"in-proc\n")));
	TELL(access("/proc/self/exe", X_OK));
}

/* main leaves by pthread_exit(3), and another thread joins it. */
static pthread_t main_thread;
static int out_fd;

static void *join_main(void *arg)
{
	void *result;

	(void)arg;
	if (pthread_join(main_thread, &result))
		_exit(1);
	_exit(result == (void *)5 ? 0 : 2);
}

static void main_is_joined(void)
{
	pid_t child = fork();
	int status;

	(void)out_fd;
	if (!child) {
		main_thread = pthread_self();
		start(join_main, NULL);
		pthread_exit((void *)5);
	}
	TELL_TRUE(waitpid(child, &status, 0) == child);
	TELL((long)status);
}

/* PR_SET_PDEATHSIG and the check behind it (prctl(2)). */
static void parent_death(void)
{
	pid_t me = getpid(), child = fork();
	int status, sig = 0;

	if (!child) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != me)
			_exit(1);
		_exit(prctl(PR_GET_PDEATHSIG, &sig) || sig != SIGKILL ? 2 : 0);
	}
	TELL_TRUE(waitpid(child, &status, 0) == child);
	TELL((long)status);
	TELL(prctl(PR_SET_DUMPABLE, 1));
	TELL(prctl(PR_GET_DUMPABLE));
	TELL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	TELL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	TELL(prctl(-1, 0, 0, 0, 0));
}

/* A parent traces its child (ptrace(2)). */
static void traces(void)
{
	pid_t child = fork();
	int status;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(9);
	}
	TELL_TRUE(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
	TELL(ptrace(PTRACE_CONT, child, NULL, NULL));
	TELL_TRUE(waitpid(child, &status, 0) == child);
	TELL((long)WEXITSTATUS(status));
}

/* process_vm_readv(2) of oneself and of a child. */
static void reads_memory(void)
{
	char from[16] = "some text", to[16] = "";
	struct iovec l = { to, 16 }, r = { from, 16 }, bad = { (void *)16, 16 };
	pid_t child;

	TELL(process_vm_readv(getpid(), &l, 1, &r, 1, 0));
	say("%s\n", to);
	TELL(process_vm_readv(getpid(), &l, 1, &bad, 1, 0));
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	to[0] = 0;
	TELL(process_vm_readv(child, &l, 1, &r, 1, 0));
	say("%s\n", to);
	TELL(kill(child, SIGKILL));
	TELL_TRUE(waitpid(child, NULL, 0) == child);
}

int main(int argc, char **argv)
{
	static const struct program programs[] = {
		{ "fork", fork_copies },
		{ "threads-fork", threads_fork },
		{ "vfork", vfork_shares },
		{ "spawn", spawns },
		{ "shell", shells },
		{ "clone", clones },
		{ "ids", ids },
		{ "waitid", waitids },
		{ "pidfd", pidfds },
		{ "names", names },
		{ "proc", procs },
		{ "join-main", main_is_joined },
		{ "prctl", parent_death },
		{ "ptrace", traces },
		{ "vm-read", reads_memory },
		{ NULL, NULL },
	};

	return system_main(programs, argc, argv);
}
