/* SPDX-License-Identifier: MIT */
/*
 * ok_seccomp.c - correct: a program that restricts itself by seccomp filters,
 * in one of the ways that its argument names. Each way is checked natively,
 * too: the tool may neither be restricted with it, nor change what it is told.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
			     offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define FOR(nr, action) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), RETURN(action)
#define ALLOW(nr) FOR(nr, SECCOMP_RET_ALLOW)
#define INSTALL(f, flags) install((f), sizeof(f) / sizeof((f)[0]), (flags))

#define check(ok) check_at((ok), __LINE__)

static void check_at(bool is_ok, int line)
{
	char text[] = "check failed in line 000\n";

	if (is_ok)
		return;
	for (int i = 23; i > 20; i--, line /= 10)
		text[i] = (char)('0' + line % 10);
	if (write(2, text, sizeof(text) - 1) > 0)
		_exit(1);
}

static long install(struct sock_filter *f, size_t nr, unsigned int flags)
{
	struct sock_fprog p = { (unsigned short)nr, f };

	check(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

/* --------------------------------------- what is allowed, and nothing else */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int count;

static void *worker(void *arg)
{
	struct timespec now;

	for (int i = 0; i < 3; i++) {
		pthread_mutex_lock(&lock);
		count++;
		pthread_mutex_unlock(&lock);
		/* By the vDSO: no system call. */
		clock_gettime(CLOCK_MONOTONIC, &now);
	}
	return arg;
}

static void run_workers(int expected)
{
	pthread_t thread[2];

	for (int i = 0; i < 2; i++)
		check(!pthread_create(&thread[i], NULL, worker, NULL));
	for (int i = 0; i < 2; i++)
		check(!pthread_join(thread[i], NULL));
	check(count == expected);
}

/* A sandbox that was entered after the threads' stacks were made. */
static void use_list(void)
{
	struct sock_filter f[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		ALLOW(SYS_read), ALLOW(SYS_write), ALLOW(SYS_futex),
		ALLOW(SYS_clone), ALLOW(SYS_clone3), ALLOW(SYS_exit),
		ALLOW(SYS_exit_group), ALLOW(SYS_mmap), ALLOW(SYS_munmap),
		ALLOW(SYS_mprotect), ALLOW(SYS_madvise), ALLOW(SYS_rseq),
		ALLOW(SYS_set_robust_list), ALLOW(SYS_rt_sigprocmask),
		ALLOW(SYS_brk), ALLOW(SYS_rt_sigaction),
		ALLOW(SYS_sched_yield), ALLOW(SYS_getrandom), ALLOW(SYS_gettid),
		RETURN(SECCOMP_RET_KILL_PROCESS),
	};
	int fd[2];
	char c = 0;

	check(!pipe(fd));
	check(!INSTALL(f, 0));
	check(write(fd[1], "x", 1) == 1 && read(fd[0], &c, 1) == 1 && c == 'x');
	run_workers(6);
}

/* ------------------------------------------------ errors instead of calls */

static void *check_refused(void *arg)
{
	check(syscall(SYS_getppid) == -1 && errno == 99);
	return arg;
}

static void use_errors(void)
{
	struct sock_filter f[] = {
		LOAD(nr), FOR(SYS_getppid, SECCOMP_RET_ERRNO | 99),
		FOR(SYS_getpgid, SECCOMP_RET_LOG), RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_filter by_argument[] = {
		LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 0, 3),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1000, 0, 1),
		RETURN(SECCOMP_RET_ERRNO | ENODEV),
		RETURN(SECCOMP_RET_ALLOW),
	};
	pthread_t thread;

	check(syscall(SYS_getppid) > 0);
	check(!INSTALL(f, 0));
	check(!INSTALL(by_argument, 0));
	for (int i = 0; i < 3; i++)
		check_refused(NULL);
	check(getpgid(0) > 0);
	check(close(2000) == -1 && errno == ENODEV);
	check(close(999) == -1 && errno == EBADF);
	check(!pthread_create(&thread, NULL, check_refused, NULL));
	check(!pthread_join(thread, NULL));
	check(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER);
}

/* --------------------------------------------------- calls made in SIGSYS */

static volatile int nr_traps;

static void emulate(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	check(sig == SIGSYS && info->si_syscall == SYS_getppid);
	check(info->si_arch == AUDIT_ARCH_X86_64 && info->si_errno == 5);
	check(uc->uc_mcontext.gregs[REG_RAX] == SYS_getppid);
	nr_traps++;
	uc->uc_mcontext.gregs[REG_RAX] = nr_traps % 2 ? 4711 : -EBUSY;
}

static void *call_trapped(void *arg)
{
	for (int i = 0; i < 2; i++) {
		check(syscall(SYS_getppid) == 4711);
		check(syscall(SYS_getppid) == -1 && errno == EBUSY);
	}
	return arg;
}

static void use_traps(void)
{
	struct sock_filter f[] = {
		LOAD(nr), FOR(SYS_getppid, SECCOMP_RET_TRAP | 5),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sigaction sa = { .sa_flags = SA_SIGINFO };
	pthread_t thread;

	sa.sa_sigaction = emulate;
	check(!sigaction(SIGSYS, &sa, NULL));
	check(!INSTALL(f, 0));
	call_trapped(NULL);
	check(!pthread_create(&thread, NULL, call_trapped, NULL));
	check(!pthread_join(thread, NULL));
	check(nr_traps == 8);
}

/* ------------------------------------------------------------- all threads */

static pthread_barrier_t both;

static void *wait_and_check(void *expected)
{
	pthread_barrier_wait(&both);
	pthread_barrier_wait(&both);
	errno = 0;
	check((syscall(SYS_getppid) < 0) == (expected != NULL));
	return NULL;
}

static void use_all_threads(unsigned int flags)
{
	struct sock_filter f[] = {
		LOAD(nr), FOR(SYS_getppid, SECCOMP_RET_ERRNO | 99),
		RETURN(SECCOMP_RET_ALLOW),
	};
	pthread_t thread;

	check(!pthread_barrier_init(&both, NULL, 2));
	check(!pthread_create(&thread, NULL, wait_and_check,
			      flags ? &both : NULL));
	pthread_barrier_wait(&both);
	check(!INSTALL(f, flags));
	pthread_barrier_wait(&both);
	check(!pthread_join(thread, NULL));
	check(syscall(SYS_getppid) == -1 && errno == 99);
}

/* One of its own that we do not have. */
static void *install_own(void *arg)
{
	struct sock_filter f[] = { RETURN(SECCOMP_RET_ALLOW) };

	check(!INSTALL(f, 0));
	pthread_barrier_wait(&both);
	pthread_barrier_wait(&both);
	return arg;
}

static void use_different(void)
{
	struct sock_filter f[] = { RETURN(SECCOMP_RET_ALLOW) };
	pthread_t thread;

	check(!pthread_barrier_init(&both, NULL, 2));
	check(!pthread_create(&thread, NULL, install_own, NULL));
	pthread_barrier_wait(&both);
	check(INSTALL(f, SECCOMP_FILTER_FLAG_TSYNC) > 1);
	check(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_DISABLED);
	pthread_barrier_wait(&both);
	check(!pthread_join(thread, NULL));
}

/* ------------------------------------------------------- a thread is killed */

static void *make_forbidden(void *arg)
{
	syscall(SYS_getppid);
	check(false);
	return arg;
}

static void use_kill_thread(void)
{
	struct sock_filter f[] = {
		LOAD(nr), FOR(SYS_getppid, SECCOMP_RET_KILL_THREAD),
		RETURN(SECCOMP_RET_ALLOW),
	};
	pthread_t thread;

	check(!INSTALL(f, 0));
	check(!pthread_create(&thread, NULL, make_forbidden, NULL));
	check(!pthread_join(thread, NULL));
}

static void *enter_strict(void *fd)
{
	check(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0));
	check(write(*(int *)fd, "s", 1) == 1);
	syscall(SYS_getppid);
	check(false);
	return NULL;
}

static void use_strict(void)
{
	pthread_t thread;
	int fd[2];
	char c;

	check(!pipe(fd));
	check(!pthread_create(&thread, NULL, enter_strict, &fd[1]));
	check(read(fd[0], &c, 1) == 1 && c == 's');
	check(!pthread_join(thread, NULL));
	check(syscall(SYS_getppid) > 0);
}

/* --------------------------------------------------------------- children */

static int wait_for(pid_t pid)
{
	int status = 0;

	check(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status;
}

/* The child may not even return from a signal handler. */
static void use_fork(void)
{
	struct sock_filter f[] = {
		LOAD(nr),
		FOR(SYS_rt_sigreturn, SECCOMP_RET_KILL_PROCESS),
		FOR(SYS_getppid, SECCOMP_RET_ERRNO | 99),
		FOR(SYS_getpgid, SECCOMP_RET_KILL_PROCESS),
		RETURN(SECCOMP_RET_ALLOW),
	};
	pid_t pid;
	int status;

	run_workers(6);
	check(!INSTALL(f, 0));
	pid = fork();
	if (!pid)
		_exit(syscall(SYS_getppid) == -1 && errno == 99 ? 23 : 1);
	status = wait_for(pid);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 23);
	pid = fork();
	if (!pid) {
		getpgid(0);
		_exit(0);
	}
	status = wait_for(pid);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	check(!system("exit 0"));
}

/* ------------------------------------------------------------ bad arguments */

static void use_errors_of_call(void)
{
	struct sock_filter good[] = { RETURN(SECCOMP_RET_ALLOW) };
	struct sock_filter bad[] = { LOAD(nr) };
	struct sock_filter unaligned[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 3),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog none = { 0, good };
	unsigned int action = SECCOMP_RET_ERRNO;

	run_workers(6);
	check(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0);
	check(!INSTALL(good, 0));
	check(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	check(INSTALL(bad, 0) == -1 && errno == EINVAL);
	check(INSTALL(unaligned, 0) == -1 && errno == EINVAL);
	check(INSTALL(good, 1u << 20) == -1 && errno == EINVAL);
	check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &none) == -1 &&
	      errno == EINVAL);
	check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) == -1 &&
	      errno == EFAULT);
	check(prctl(PR_SET_SECCOMP, 77, 0, 0, 0) == -1 && errno == EINVAL);
	check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == -1 &&
	      errno == EINVAL);
	check(!syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
	check(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == -1 && errno == EINVAL);
}

int main(int argc, char **argv)
{
	switch (argc > 1 ? argv[1][0] : 'l') {
	case 'l':
		use_list();
		break;
	case 'e':
		use_errors();
		break;
	case 't':
		use_traps();
		break;
	case 'a':
		use_all_threads(SECCOMP_FILTER_FLAG_TSYNC);
		break;
	case 'o':
		use_all_threads(0);
		break;
	case 'd':
		use_different();
		break;
	case 'k':
		use_kill_thread();
		break;
	case 's':
		use_strict();
		break;
	case 'f':
		use_fork();
		break;
	case 'b':
		use_errors_of_call();
		break;
	}
	return write(1, "ok\n", 3) != 3;	/* stdio makes more calls */
}
