/* SPDX-License-Identifier: MIT */
/*
 * restarts.c - the two lists of signal(7): which calls begin again after a handler
 * with SA_RESTART, and which never do.
 *
 * A timer interrupts each call; a second one makes what it waits for come true, so
 * that one which began again ends as well.
 */
#include "system.h"

#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

static volatile sig_atomic_t nr_signals;
static int ends[2], queue;
static mqd_t mq;
static sem_t semaphore;
static _Atomic int word;
static char buffer[1 << 20];
static void (*release)(void);

static void again(void)
{
	struct itimerval it = { .it_value = { 0, 60000 } };

	setitimer(ITIMER_REAL, &it, NULL);
}

static void on_alarm(int sig)
{
	int was = errno;

	(void)sig;
	if (++nr_signals == 1)
		again();
	else if (release)
		release();
	errno = was;
}

static void one(const char *name, long (*call)(void), void (*then)(void),
		int flags)
{
	struct sigaction a = { .sa_handler = on_alarm, .sa_flags = flags };
	long r;

	sigaction(SIGALRM, &a, NULL);
	nr_signals = 0;
	release = then;
	again();
	errno = 0;
	r = call();
	say("%s%s: %s after %d\n", name, flags ? " (SA_RESTART)" : "",
	    r == -1 ? strerrorname_np(errno) : "done", (int)nr_signals);
	while (nr_signals < 2)
		pause();	/* the handler empties and fills for the next */
}

/* ----------------------------------------------------------- what to wait for */

static void fill_pipe(void)
{
	(void)!write(ends[1], "0123456789", 10);
}

static void drain(void)
{
	while (recv(ends[1], buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
		continue;
}

static void post(void)
{
	sem_post(&semaphore);
}

static void wake(void)
{
	word = 1;
	syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void send_mq(void)
{
	mq_send(mq, "x", 1, 0);
}

static struct timespec in_long(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_sec += 5;
	return ts;
}

static void set_timeout(int fd)
{
	struct timeval tv = { 5, 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static void empty(void)
{
	while (recv(ends[0], buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
		continue;
}

static void fill(void)
{
	while (send(ends[0], buffer, 4096, MSG_DONTWAIT) > 0)
		continue;
}

/* --------------------------------------------------------------- the calls */

static long do_read(void) { return read(ends[0], buffer, 10); }
static long do_recv(void) { empty(); return recv(ends[0], buffer, 10, 0); }

static long do_readv(void)
{
	struct iovec v = { buffer, 10 };

	return readv(ends[0], &v, 1);
}

static long do_recvmsg(void)
{
	struct iovec v = { buffer, 10 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	empty();
	return recvmsg(ends[0], &m, 0);
}

static long do_send(void) { fill(); return send(ends[0], buffer, 4096, 0); }
static long do_write(void) { fill(); return write(ends[0], buffer, 4096); }
static long do_sem_wait(void) { return sem_wait(&semaphore); }

static long do_sem_timedwait(void)
{
	struct timespec ts = in_long(CLOCK_REALTIME);

	return sem_timedwait(&semaphore, &ts);
}

static long do_futex(void)
{
	word = 0;
	return syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static long do_futex_timed(void)
{
	struct timespec ts = { 5, 0 };

	word = 0;
	return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &ts, NULL, 0);
}

static long do_futex_until(void)
{
	struct timespec ts = in_long(CLOCK_MONOTONIC);

	word = 0;
	return syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &ts, NULL,
		       FUTEX_BITSET_MATCH_ANY);
}

static long do_mq_receive(void) { return mq_receive(mq, buffer, 8, NULL); }

static long do_mq_timedreceive(void)
{
	struct timespec ts = in_long(CLOCK_REALTIME);

	return mq_timedreceive(mq, buffer, 8, NULL, &ts);
}

static long do_pause(void) { return pause(); }

static long do_sigsuspend(void)
{
	sigset_t set;

	sigemptyset(&set);
	return sigsuspend(&set);
}

static long do_sigwaitinfo(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return sigwaitinfo(&set, NULL);
}

static long do_sigtimedwait(void)
{
	struct timespec ts = { 5, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return sigtimedwait(&set, NULL, &ts);
}

static long do_poll(void)
{
	struct pollfd p = { .fd = ends[0], .events = POLLIN };

	return poll(&p, 1, 5000);
}

static long do_ppoll(void)
{
	struct pollfd p = { .fd = ends[0], .events = POLLIN };

	return ppoll(&p, 1, NULL, NULL);
}

static long do_select(void)
{
	struct timeval tv = { 5, 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	return select(ends[0] + 1, &set, NULL, NULL, &tv);
}

static long do_pselect(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	return pselect(ends[0] + 1, &set, NULL, NULL, NULL, NULL);
}

static long do_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int ep = epoll_create1(0);
	long r;

	epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &e);
	r = epoll_wait(ep, &e, 1, -1);
	close(ep);
	return r;
}

static long do_msgrcv(void) { return msgrcv(queue, buffer, 8, 0, 0); }

static long do_semop(void)
{
	struct sembuf b = { .sem_op = -1 };
	int id = semget(IPC_PRIVATE, 1, 0600), was;
	long r = semop(id, &b, 1);

	was = errno;
	semctl(id, 0, IPC_RMID);
	errno = was;
	return r;
}

static long do_nanosleep(void)
{
	struct timespec ts = { 5, 0 };

	return nanosleep(&ts, NULL);
}

static long do_clock_nanosleep(void)
{
	struct timespec ts = in_long(CLOCK_MONOTONIC);

	errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
	return errno ? -1 : 0;
}

struct row {
	const char *name;
	long (*call)(void);
	void (*then)(void);
};

static void all(const struct row *row, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		one(row[i].name, row[i].call, row[i].then, 0);
		one(row[i].name, row[i].call, row[i].then, SA_RESTART);
	}
}

#define ALL(rows) all(rows, sizeof(rows) / sizeof((rows)[0]))

static void pipes(void)
{
	if (pipe(ends))
		abort();
	one("read", do_read, fill_pipe, SA_RESTART);
	one("readv", do_readv, fill_pipe, SA_RESTART);
	one("read", do_read, NULL, 0);
	one("readv", do_readv, NULL, 0);
}

static void sockets(void)
{
	static const struct row in[] = {
		{ "recv", do_recv, fill_pipe },
		{ "recvmsg", do_recvmsg, fill_pipe },
	};
	static const struct row out[] = {
		{ "send", do_send, drain }, { "write", do_write, drain },
	};

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		abort();
	ALL(in);
	ALL(out);
	set_timeout(ends[0]);
	say("with a time:\n");
	ALL(in);
	ALL(out);
}

static void waits(void)
{
	static const struct row rows[] = {
		{ "sem_wait", do_sem_wait, post },
		{ "futex", do_futex, wake },
		{ "futex, for a time", do_futex_timed, wake },
		{ "futex, until a time", do_futex_until, wake },
	};

	sem_init(&semaphore, 0, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(rows[i].name, rows[i].call, rows[i].then, SA_RESTART);
		while (sem_trywait(&semaphore) == 0)
			continue;
		one(rows[i].name, rows[i].call, rows[i].then, 0);
		while (sem_trywait(&semaphore) == 0)
			continue;
	}
	one("sem_timedwait", do_sem_timedwait, NULL, 0);
	one("sem_timedwait", do_sem_timedwait, NULL, SA_RESTART);
}

static void queues(void)
{
	struct mq_attr a = { .mq_maxmsg = 4, .mq_msgsize = 8 };
	char name[32];

	snprintf(name, sizeof(name), "/restarts-%d", (int)getpid());
	mq = mq_open(name, O_CREAT | O_RDWR, 0600, &a);
	if (mq == (mqd_t)-1)
		abort();
	mq_unlink(name);
	queue = msgget(IPC_PRIVATE, 0600);
	one("mq_receive", do_mq_receive, send_mq, SA_RESTART);
	one("mq_timedreceive", do_mq_timedreceive, send_mq, SA_RESTART);
	one("mq_receive", do_mq_receive, NULL, 0);
	one("msgrcv", do_msgrcv, NULL, 0);
	one("msgrcv", do_msgrcv, NULL, SA_RESTART);
	one("semop", do_semop, NULL, 0);
	one("semop", do_semop, NULL, SA_RESTART);
	msgctl(queue, IPC_RMID, NULL);
}

static void never(void)
{
	static const struct row rows[] = {
		{ "pause", do_pause, NULL },
		{ "sigsuspend", do_sigsuspend, NULL },
		{ "sigwaitinfo", do_sigwaitinfo, NULL },
		{ "sigtimedwait", do_sigtimedwait, NULL },
		{ "poll", do_poll, NULL }, { "ppoll", do_ppoll, NULL },
		{ "select", do_select, NULL },
		{ "pselect", do_pselect, NULL },
		{ "epoll_wait", do_epoll, NULL },
		{ "nanosleep", do_nanosleep, NULL },
		{ "clock_nanosleep", do_clock_nanosleep, NULL },
	};

	if (pipe(ends))
		abort();
	ALL(rows);
}

int main(int argc, char **argv)
{
	static const struct program programs[] = {
		{ "pipes", pipes },
		{ "sockets", sockets },
		{ "waits", waits },
		{ "queues", queues },
		{ "never", never },
		{ NULL, NULL },
	};

	return system_main(programs, argc, argv);
}
