/* SPDX-License-Identifier: MIT */
/*
 * Correct: system calls are given pointers that lead nowhere, or where one may
 * not write, or to the last bytes before the end of what is mapped. What they
 * answer is what a child gets, which asks the kernel itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_RESULTS 2048

/* What stands for an argument; numbers below are themselves. */
enum {
	P = 1 << 20,	/* the pointer in question */
	GOOD,		/* zeroed memory that may be written */
	TIME,		/* struct timespec of 1 ns */
	PAST,		/* a deadline that is long over */
	USR1,		/* a signal set */
	FD,		/* a file with something in it */
	SOCKET,
	EPOLL,
	TIMER,
	PID,
	TID,
	NAME,		/* a path that is there */
};

struct call {
	const char *name;
	long nr;
	long arg[6];
	/*
	 * It would wait for ever, or succeed, if the memory could be read; 2:
	 * 8 bytes of it.
	 */
	int blocks_when_readable;
	int needs_signal;	/* SIGUSR1 is to be pending */
};

#define PRIVATE FUTEX_PRIVATE_FLAG

static const struct call calls[] = {
	{ "nanosleep request", SYS_nanosleep, { P, 0 }, 0, 0 },
	{ "nanosleep rest", SYS_nanosleep, { TIME, P }, 0, 0 },
	{ "clock_nanosleep", SYS_clock_nanosleep, { 1, 0, P, 0 }, 0, 0 },
	{ "clock_nanosleep until", SYS_clock_nanosleep, { 1, 1, P, 0 }, 0, 0 },
	{ "clock_nanosleep clock", SYS_clock_nanosleep, { 77, 0, P, 0 }, 0, 0 },
	{ "clock_gettime", SYS_clock_gettime, { 0, P }, 0, 0 },
	{ "clock_gettime cpu", SYS_clock_gettime, { 3, P }, 0, 0 },
	{ "clock_getres", SYS_clock_getres, { 1, P }, 0, 0 },
	{ "gettimeofday", SYS_gettimeofday, { P, 0 }, 0, 0 },
	{ "gettimeofday zone", SYS_gettimeofday, { GOOD, P }, 0, 0 },
	{ "time", SYS_time, { P }, 0, 0 },
	{ "times", SYS_times, { P }, 0, 0 },
	{ "setitimer", SYS_setitimer, { 0, P, 0 }, 0, 0 },
	{ "setitimer old", SYS_setitimer, { 0, GOOD, P }, 0, 0 },
	{ "getitimer", SYS_getitimer, { 0, P }, 0, 0 },
	{ "timer_create event", SYS_timer_create, { 0, P, GOOD }, 0, 0 },
	{ "timer_create id", SYS_timer_create, { 0, 0, P }, 0, 0 },
	{ "timer_settime", SYS_timer_settime, { TIMER, 0, P, 0 }, 0, 0 },
	{ "timer_settime old", SYS_timer_settime, { TIMER, 0, GOOD, P }, 0, 0 },
	{ "timer_gettime", SYS_timer_gettime, { TIMER, P }, 0, 0 },
	{ "sigaction", SYS_rt_sigaction, { SIGUSR2, P, 0, 8 }, 0, 0 },
	{ "sigaction old", SYS_rt_sigaction, { SIGUSR2, 0, P, 8 }, 0, 0 },
	{ "sigaction size", SYS_rt_sigaction, { SIGUSR2, P, 0, 4 }, 0, 0 },
	{ "sigprocmask", SYS_rt_sigprocmask, { SIG_BLOCK, P, 0, 8 }, 0, 0 },
	{ "sigprocmask old", SYS_rt_sigprocmask, { 0, 0, P, 8 }, 0, 0 },
	{ "sigaltstack old", SYS_sigaltstack, { 0, P }, 0, 0 },
	{ "sigpending", SYS_rt_sigpending, { P, 8 }, 0, 0 },
	{ "sigsuspend", SYS_rt_sigsuspend, { P, 8 }, 2, 0 },
	{ "sigtimedwait set", SYS_rt_sigtimedwait, { P, 0, TIME, 8 }, 0, 0 },
	{ "sigtimedwait time", SYS_rt_sigtimedwait, { USR1, 0, P, 8 }, 1, 1 },
	{ "sigtimedwait info", SYS_rt_sigtimedwait, { USR1, P, TIME, 8 }, 0, 1 },
	{ "sigqueueinfo", SYS_rt_sigqueueinfo, { PID, 0, P }, 1, 0 },
	{ "tgsigqueueinfo", SYS_rt_tgsigqueueinfo, { PID, TID, 0, P }, 1, 0 },
	/* Shared, where one may not write: depends on what is mapped there. */
	{ "futex wait", SYS_futex, { P, FUTEX_WAIT, 1, 0 }, 1, 0 },
	{ "futex wait, private", SYS_futex,
	  { P, FUTEX_WAIT | PRIVATE, 1, 0 }, 0, 0 },
	{ "futex wait, time", SYS_futex,
	  { GOOD, FUTEX_WAIT | PRIVATE, 0, P }, 1, 0 },
	{ "futex wait until", SYS_futex,
	  { P, FUTEX_WAIT_BITSET | PRIVATE, 1, PAST, 0, 1 }, 0, 0 },
	{ "futex wake", SYS_futex, { P, FUTEX_WAKE, 1 }, 1, 0 },
	{ "futex wake, private", SYS_futex, { P, FUTEX_WAKE | PRIVATE, 1 }, 0, 0 },
	{ "futex requeue", SYS_futex,
	  { P, FUTEX_REQUEUE | PRIVATE, 1, 1, GOOD }, 0, 0 },
	{ "futex requeue to", SYS_futex,
	  { GOOD, FUTEX_REQUEUE, 1, 1, P }, 1, 0 },
	{ "futex cmp_requeue", SYS_futex,
	  { P, FUTEX_CMP_REQUEUE | PRIVATE, 1, 1, GOOD, 7 }, 0, 0 },
	{ "futex wake_op", SYS_futex,
	  { GOOD, FUTEX_WAKE_OP | PRIVATE, 1, 1, P, 0 }, 0, 0 },
	{ "futex trylock_pi", SYS_futex, { P, FUTEX_TRYLOCK_PI | PRIVATE }, 0, 0 },
	{ "futex lock_pi", SYS_futex, { P, FUTEX_LOCK_PI | PRIVATE }, 0, 0 },
	{ "futex unlock_pi", SYS_futex, { P, FUTEX_UNLOCK_PI | PRIVATE }, 0, 0 },
	{ "getrandom", SYS_getrandom, { P, 64, 0 }, 0, 0 },
	{ "getrandom much", SYS_getrandom, { P, 3000, 0 }, 0, 0 },
	{ "poll", SYS_poll, { P, 1, 0 }, 0, 0 },
	{ "poll none", SYS_poll, { P, 0, 0 }, 0, 0 },
	{ "ppoll", SYS_ppoll, { P, 1, TIME, 0, 8 }, 0, 0 },
	{ "ppoll time", SYS_ppoll, { GOOD, 1, P, 0, 8 }, 1, 0 },
	{ "ppoll mask", SYS_ppoll, { GOOD, 1, TIME, P, 8 }, 0, 0 },
	{ "select", SYS_select, { 1, P, 0, 0, GOOD }, 0, 0 },
	{ "select write", SYS_select, { 1, 0, P, 0, GOOD }, 0, 0 },
	{ "select time", SYS_select, { 0, 0, 0, 0, P }, 1, 0 },
	{ "pselect", SYS_pselect6, { 1, 0, 0, P, GOOD, 0 }, 0, 0 },
	{ "pselect time", SYS_pselect6, { 0, 0, 0, 0, P, 0 }, 1, 0 },
	{ "pselect mask", SYS_pselect6, { 0, 0, 0, 0, GOOD, P }, 0, 0 },
	{ "epoll_wait", SYS_epoll_wait, { EPOLL, P, 1, 0 }, 0, 0 },
	{ "epoll_pwait", SYS_epoll_pwait, { EPOLL, GOOD, 1, 0, P, 8 }, 0, 0 },
	{ "epoll_ctl", SYS_epoll_ctl, { EPOLL, EPOLL_CTL_MOD, SOCKET, P }, 0, 0 },
	{ "read", SYS_read, { FD, P, 64 }, 0, 0 },
	{ "write", SYS_write, { SOCKET, P, 64 }, 0, 0 },
	{ "readv", SYS_readv, { FD, P, 1 }, 0, 0 },
	{ "writev", SYS_writev, { SOCKET, P, 1 }, 0, 0 },
	{ "pread", SYS_pread64, { FD, P, 64, 0 }, 0, 0 },
	{ "sendmsg", SYS_sendmsg, { SOCKET, P, 0 }, 0, 0 },
	{ "recvmsg", SYS_recvmsg, { SOCKET, P, MSG_DONTWAIT }, 0, 0 },
	{ "sendto", SYS_sendto, { SOCKET, P, 64, 0, 0, 0 }, 0, 0 },
	{ "recvfrom", SYS_recvfrom, { SOCKET, P, 64, MSG_DONTWAIT, 0, 0 }, 0, 0 },
	{ "connect", SYS_connect, { SOCKET, P, 16 }, 0, 0 },
	{ "pipe", SYS_pipe, { P }, 0, 0 },
	{ "pipe2", SYS_pipe2, { P, O_CLOEXEC }, 0, 0 },
	{ "socketpair", SYS_socketpair, { AF_UNIX, SOCK_STREAM, 0, P }, 0, 0 },
	{ "fcntl lock", SYS_fcntl, { FD, F_GETLK, P }, 0, 0 },
	{ "signalfd", SYS_signalfd4, { -1, P, 8, 0 }, 0, 0 },
	{ "open", SYS_open, { P, O_RDONLY }, 0, 0 },
	{ "openat", SYS_openat, { AT_FDCWD, P, O_RDONLY }, 0, 0 },
	{ "stat path", SYS_stat, { P, GOOD }, 0, 0 },
	{ "stat", SYS_stat, { NAME, P }, 0, 0 },
	{ "fstat", SYS_fstat, { FD, P }, 0, 0 },
	{ "access", SYS_access, { P, 0 }, 0, 0 },
	{ "chdir", SYS_chdir, { P }, 0, 0 },
	{ "readlink path", SYS_readlink, { P, GOOD, 64 }, 0, 0 },
	{ "getcwd", SYS_getcwd, { P, 4096 }, 0, 0 },
	{ "uname", SYS_uname, { P }, 0, 0 },
	{ "set_name", SYS_prctl, { PR_SET_NAME, P }, 0, 0 },
	{ "get_name", SYS_prctl, { PR_GET_NAME, P }, 0, 0 },
	{ "get_robust_list", SYS_get_robust_list, { 0, P, GOOD }, 0, 0 },
	{ "get_robust_list size", SYS_get_robust_list, { 0, GOOD, P }, 0, 0 },
	{ "getaffinity", SYS_sched_getaffinity, { 0, 128, P }, 0, 0 },
	{ "setaffinity", SYS_sched_setaffinity, { 0, 8, P }, 0, 0 },
	{ "getcpu", SYS_getcpu, { P, 0, 0 }, 0, 0 },
	{ "getcpu node", SYS_getcpu, { 0, P, 0 }, 0, 0 },
	{ "wait4", SYS_wait4, { -1, P, WNOHANG, 0 }, 0, 0 },
	{ "waitid", SYS_waitid, { 0, 0, P, WNOHANG | WEXITED, 0 }, 0, 0 },
	{ "execve", SYS_execve, { P, 0, 0 }, 0, 0 },
	{ "clone3", SYS_clone3, { P, 88 }, 1, 0 },
	{ "clone3 small", SYS_clone3, { P, 8 }, 1, 0 },
	{ "getrlimit", SYS_prlimit64, { 0, 7, 0, P }, 0, 0 },
};

#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))

static const char *const kinds[] = {
	"NULL", "8", "unmapped", "read-only", "end -8", "end -4", "end -1",
	"high",
};
#define READ_ONLY 3
#define EIGHT_LEFT 4
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static _Alignas(64) char good[8192];
static struct timespec tiny = { 0, 1 };
static uint64_t usr1 = 1ull << (SIGUSR1 - 1);
static int fd, sockets[2], epoll, timer;
static char *area;	/* one page to write, then nothing; see make_area() */
static long *theirs;

static void check(int good_)
{
	if (!good_)
		abort();
}

/* [writable][nothing][read-only][nothing] */
static void make_area(void)
{
	area = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(area != MAP_FAILED);
	check(!munmap(area + 4096, 4096) && !munmap(area + 12288, 4096));
	check(!mprotect(area + 8192, 4096, PROT_READ));
}

static long pointer(size_t kind)
{
	char *const all[NR_KINDS] = {
		NULL, (char *)8, area + 4096, area + 8192, area + 4088,
		area + 4092, area + 4095, (char *)0xffff800000000000,
	};

	return (long)all[kind];
}

static long argument(long a, size_t kind)
{
	switch (a) {
	case P:
		return pointer(kind);
	case GOOD:
		return (long)memset(good, 0, sizeof(good));
	case TIME:
	case PAST:
		return (long)&tiny;
	case USR1:
		return (long)&usr1;
	case FD:
		return fd;
	case SOCKET:
		return sockets[0];
	case EPOLL:
		return epoll;
	case TIMER:
		return timer;
	case PID:
		return getpid();
	case TID:
		return gettid();
	case NAME:
		return (long)"/";
	default:
		return a;
	}
}

static long do_call(const struct call *c, size_t kind)
{
	struct timespec none = { 0, 0 };
	long arg[6], r;

	for (int i = 0; i < 6; i++)
		arg[i] = argument(c->arg[i], kind);
	memset(area + 4080, 0, 16);
	if (c->needs_signal)
		check(!syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1));
	errno = 0;
	r = syscall(c->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	r = r < 0 ? -errno : 0;
	if (c->needs_signal)
		syscall(SYS_rt_sigtimedwait, &usr1, NULL, &none, 8);
	return r;
}

static int is_left_out(const struct call *c, size_t kind)
{
	/* NULL says "none" where the call can do without. */
	return c->blocks_when_readable &&
	       (!kind || kind == READ_ONLY ||
		(kind == EIGHT_LEFT && c->blocks_when_readable == 2));
}

/* Returns how many differ from what the child got; the child fills it in. */
static int do_all(int is_child)
{
	int nr = 0, bad = 0;

	for (size_t i = 0; i < NR_CALLS; i++)
		for (size_t k = 0; k < NR_KINDS; k++, nr++) {
			long r;

			if (is_left_out(&calls[i], k))
				continue;
			r = do_call(&calls[i], k);
			if (is_child) {
				theirs[nr] = r;
			} else if (theirs[nr] != r) {
				dprintf(2, "%s, %s: %ld, not %ld\n",
					calls[i].name, kinds[k], r, theirs[nr]);
				bad++;
			}
		}
	return bad;
}

static void prepare(void)
{
	sigset_t set;

	make_area();
	fd = open("/proc/self/exe", O_RDONLY);
	check(fd >= 0 && !socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	epoll = epoll_create1(0);
	check(epoll >= 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	check(!pthread_sigmask(SIG_BLOCK, &set, NULL));
	check(!syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &timer));
}

static void *tell(void *arg)
{
	*(int *)arg = do_all(0);
	return arg;
}

int main(void)
{
	int status, bad = -1;
	pthread_t t;
	pid_t pid;

	theirs = mmap(NULL, MAX_RESULTS * sizeof(*theirs),
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(theirs != MAP_FAILED && NR_CALLS * NR_KINDS <= MAX_RESULTS);
	pid = fork();
	if (!pid) {
		prepare();
		do_all(1);
		_exit(0);
	}
	check(waitpid(pid, &status, 0) == pid && !status);
	prepare();
	check(!pthread_create(&t, NULL, tell, &bad) &&
	      !pthread_join(t, NULL));
	if (bad)
		return 1;
	check(write(1, "ok\n", 3) == 3);
	return 0;
}
