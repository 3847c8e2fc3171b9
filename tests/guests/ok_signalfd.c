/* SPDX-License-Identifier: MIT */
/* Signals that the program sends itself, read from signalfd(2) by its rules. */
#include "guest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct signalfd_siginfo info_t;

static sigset_t set_of(int a, int b)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, a);
	if (b)
		sigaddset(&set, b);
	return set;
}

static info_t read_one(int fd)
{
	info_t info;

	memset(&info, 0xff, sizeof(info));
	assert(read(fd, &info, sizeof(info)) == sizeof(info));
	return info;
}

static void check_empty(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert(poll(&p, 1, 0) == 0);
}

static void fields(int fd)
{
	info_t info[3];
	struct iovec v[2] = { { info, 0 }, { info, sizeof(info) } };

	assert(kill(getpid(), SIGUSR1) == 0);
	info[0] = read_one(fd);
	assert(info[0].ssi_signo == SIGUSR1 && info[0].ssi_code == SI_USER);
	assert(info[0].ssi_pid == (uint32_t)getpid());
	assert(info[0].ssi_uid == getuid() && info[0].ssi_int == 0);
	for (int i = 1; i <= 2; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
	raise(SIGUSR1);
	assert(readv(fd, v, 2) == sizeof(info));
	assert(info[0].ssi_signo == SIGUSR1 && info[0].ssi_code == SI_TKILL);
	assert(info[1].ssi_int == 1 && info[2].ssi_int == 2);
	assert(info[1].ssi_code == SI_QUEUE);
	check_empty(fd);
}

static void errors(int fd)
{
	sigset_t set = set_of(SIGUSR1, 0);
	info_t info;

	assert(read(fd, &info, sizeof(info) - 1) == -1 && errno == EINVAL);
	assert(write(fd, &info, 8) == -1 && errno == EINVAL);
	assert(signalfd(fd, &set, 1) == -1 && errno == EINVAL);
	assert(signalfd(0x7fff, &set, 0) == -1 && errno == EBADF);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	assert(read(fd, &info, sizeof(info)) == -1 && errno == EAGAIN);
	fcntl(fd, F_SETFL, 0);
}

static void new_mask(int fd)
{
	sigset_t set = set_of(SIGUSR2, 0), both = set_of(SIGUSR1, SIGRTMIN);
	info_t info;

	raise(SIGUSR1);
	assert(signalfd(fd, &set, 0) == fd);
	check_empty(fd);
	raise(SIGUSR2);
	info = read_one(fd);
	assert(info.ssi_signo == SIGUSR2);
	assert(signalfd(fd, &both, 0) == fd);
	info = read_one(fd);
	assert(info.ssi_signo == SIGUSR1);
}

static void copies(int fd)
{
	int copy = dup(fd), high = fcntl(fd, F_DUPFD, 1500);
	info_t info;

	raise(SIGUSR1);
	info = read_one(copy);
	close(copy);
	assert(copy >= 0 && info.ssi_signo == SIGUSR1);
	if (high < 0)		/* RLIMIT_NOFILE */
		return;
	raise(SIGUSR1);
	info = read_one(high);
	assert(info.ssi_signo == SIGUSR1);
	close(high);
}

/* Sent to main alone: nobody else has it. */
static void *is_empty(void *arg)
{
	check_empty(*(int *)arg);
	return NULL;
}

static void of_thread(int fd)
{
	info_t info;

	pthread_kill(pthread_self(), SIGUSR1);
	guest_join(guest_start(is_empty, &fd));
	info = read_one(fd);
	assert(info.ssi_signo == SIGUSR1);
}

static void *send_two(void *arg)
{
	for (int i = 0; i < 2; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
	return arg;
}

static void waits(int fd)
{
	pthread_t t = guest_start(send_two, NULL);
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	assert(select(fd + 1, &set, NULL, NULL, NULL) == 1);
	for (uint32_t i = 0; i < 2; i++)
		assert(read_one(fd).ssi_int == (int32_t)i);
	guest_join(t);
}

static void edges(int fd)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0);
	pthread_t t;

	assert(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) == 0);
	assert(epoll_wait(ep, &e, 1, 0) == 0);
	t = guest_start(send_two, NULL);
	assert(epoll_wait(ep, &e, 1, -1) == 1 && e.events == EPOLLIN);
	guest_join(t);
	read_one(fd);
	read_one(fd);
	close(ep);
}

static void timer(int fd)
{
	struct itimerval it = { .it_value = { 0, 20000 } };

	setitimer(ITIMER_REAL, &it, NULL);
	assert(read_one(fd).ssi_code == SI_KERNEL);
}

static void child_reads(int fd)
{
	int status;

	if (fork() == 0) {
		raise(SIGUSR1);
		/* The rest may be missing, where the user has many pending. */
		_exit(read_one(fd).ssi_signo == SIGUSR1 ? 5 : 6);
	}
	assert(wait(&status) > 0 && WEXITSTATUS(status) == 5);
	check_empty(fd);
}

static void of_child(void)
{
	sigset_t set = set_of(SIGCHLD, 0);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	info_t info;
	pid_t pid;

	sigprocmask(SIG_BLOCK, &set, NULL);
	pid = fork();
	if (pid == 0)
		_exit(3);
	assert(poll(&p, 1, -1) == 1);
	info = read_one(fd);
	assert(info.ssi_pid == (uint32_t)pid && info.ssi_status == 3 &&
	       info.ssi_code == CLD_EXITED);
	assert(waitpid(pid, NULL, 0) == pid);
	close(fd);
}

int main(void)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2), use = set_of(SIGUSR1, SIGRTMIN);
	int fd;

	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGALRM);
	sigaddset(&use, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &use, 0);
	fields(fd);
	errors(fd);
	timer(fd);
	new_mask(fd);
	copies(fd);
	of_thread(fd);
	waits(fd);
	edges(fd);
	child_reads(fd);
	of_child();
	close(fd);
	return guest_ok();
}
