/* SPDX-License-Identifier: MIT */
/*
 * handover.c - a plain variable, handed over through the kernel.
 *
 *   handover WAY
 *
 * One thread writes the variable and sends; the other receives and reads it.
 * Neither calls a lock: that something was sent before it came is all the order
 * there is, and it is enough. So every way here is correct, with no data race.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <mqueue.h>

static int data;
static int in = -1, out = -1;
static char dir[64], path[96];
static sem_t *semaphore;
static pthread_t receiver;

/* ------------------------------------------------------- a byte, sent on */

static void send_byte(void)
{
	char c = 'x';

	if (write(out, &c, 1) != 1)
		abort();
}

static void receive_byte(void)
{
	char c;

	if (read(in, &c, 1) != 1)
		abort();
}

static void open_pipe(void)
{
	int fd[2];

	if (pipe(fd))
		abort();
	in = fd[0];
	out = fd[1];
}

static void open_pair(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd))
		abort();
	in = fd[0];
	out = fd[1];
}

/* A connection to ourselves. */
static void open_tcp(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t bytes = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	out = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) || listen(s, 1) ||
	    getsockname(s, (struct sockaddr *)&a, &bytes) ||
	    connect(out, (struct sockaddr *)&a, sizeof(a)))
		abort();
	in = accept(s, NULL, NULL);
	close(s);
}

static void open_fifo(void)
{
	if (mkfifo(path, 0600))
		abort();
	in = open(path, O_RDWR);
	out = open(path, O_WRONLY);
}

/* A child in between: what goes in there comes out here. */
static void open_child(void)
{
	int to[2], from[2];
	char c;

	if (pipe(to) || pipe(from))
		abort();
	if (!fork()) {
		if (read(to[0], &c, 1) != 1 || write(from[1], &c, 1) != 1)
			_exit(1);
		_exit(0);
	}
	in = from[0];
	out = to[1];
}

static void receive_by_poll(void)
{
	struct pollfd p = { .fd = in, .events = POLLIN };

	if (poll(&p, 1, -1) != 1)
		abort();
}

static void receive_by_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(in, &set);
	if (select(in + 1, &set, NULL, NULL, NULL) != 1)
		abort();
}

static void receive_by_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int fd = epoll_create1(0);

	if (epoll_ctl(fd, EPOLL_CTL_ADD, in, &e) ||
	    epoll_wait(fd, &e, 1, -1) != 1)
		abort();
	close(fd);
}

static void receive_by_try(void)
{
	char c;

	fcntl(in, F_SETFL, O_NONBLOCK);
	while (read(in, &c, 1) != 1)
		sched_yield();
}

static void receive_end(void)
{
	char c;

	if (read(in, &c, 1))
		abort();
}

static void send_end(void)
{
	close(out);
}

static void send_by_dup(void)
{
	int fd = dup(out);

	if (write(fd, "y", 1) != 1)
		abort();
	close(fd);
}

/* ------------------------------------------------------- other descriptors */

static void open_eventfd(void)
{
	in = out = eventfd(0, 0);
}

static void send_event(void)
{
	eventfd_write(out, 1);
}

static void receive_event(void)
{
	eventfd_t value;

	if (eventfd_read(in, &value))
		abort();
}

static void open_timer(void)
{
	in = out = timerfd_create(CLOCK_MONOTONIC, 0);
}

static void start_timer(void)
{
	struct itimerspec when = { .it_value = { 0, 1000 } };

	timerfd_settime(out, 0, &when, NULL);
}

static void open_signalfd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	in = signalfd(-1, &set, 0);
}

static void send_signal_to_process(void)
{
	kill(getpid(), SIGUSR1);
}

static void receive_signal_fd(void)
{
	struct signalfd_siginfo info;

	if (read(in, &info, sizeof(info)) != sizeof(info))
		abort();
}

static void open_watch(void)
{
	in = inotify_init1(0);
	inotify_add_watch(in, dir, IN_CREATE);
}

static void receive_watch(void)
{
	char event[512];

	if (read(in, event, sizeof(event)) < 0)
		abort();
}

/* ---------------------------------------------------------------- files */

static void open_file(void)
{
	in = open(path, O_RDWR | O_CREAT, 0600);
	out = open(path, O_RDWR);
}

static void receive_file(void)
{
	char c;

	while (pread(in, &c, 1, 0) != 1)
		sched_yield();
}

static void receive_size(void)
{
	struct stat st;

	while (fstat(in, &st) || !st.st_size)
		sched_yield();
}

static void create(void)
{
	close(open(path, O_WRONLY | O_CREAT, 0600));
}

static void receive_stat(void)
{
	struct stat st;

	while (stat(path, &st))
		sched_yield();
}

static void receive_open(void)
{
	int fd;

	while ((fd = open(path, O_RDONLY)) < 0)
		sched_yield();
	close(fd);
}

static void receive_access(void)
{
	while (access(path, F_OK))
		sched_yield();
}

static void send_directory(void)
{
	mkdir(path, 0700);
}

static void receive_directory(void)
{
	while (rmdir(path))
		sched_yield();
}

static void send_rename(void)
{
	char old[128];

	snprintf(old, sizeof(old), "%s.old", path);
	close(open(old, O_WRONLY | O_CREAT, 0600));
	rename(old, path);
}

static void receive_unlink(void)
{
	while (unlink(path))
		sched_yield();
}

static void open_locked(void)
{
	open_file();
	flock(out, LOCK_EX);
}

static void unlock_file(void)
{
	flock(out, LOCK_UN);
}

static void receive_flock(void)
{
	flock(in, LOCK_EX);
}

static void close_file(void)
{
	close(out);
}

static void open_record_locked(void)
{
	struct flock l = { .l_type = F_WRLCK };

	open_file();
	fcntl(out, F_OFD_SETLK, &l);
}

static void unlock_record(void)
{
	struct flock l = { .l_type = F_UNLCK };

	fcntl(out, F_OFD_SETLK, &l);
}

static void receive_record_lock(void)
{
	struct flock l = { .l_type = F_WRLCK };

	if (fcntl(in, F_OFD_SETLKW, &l))
		abort();
}

/* -------------------------------------------------------------- signals */

static atomic_int is_handled;
static int seen;

static void handle(int sig)
{
	(void)sig;
	seen = data;
	is_handled = 1;
}

static void open_handler(void)
{
	struct sigaction a = { .sa_handler = handle };

	sigaction(SIGUSR1, &a, NULL);
}

static void send_signal(void)
{
	pthread_kill(receiver, SIGUSR1);
}

static void receive_handler(void)
{
	sigset_t none;

	sigemptyset(&none);
	while (!is_handled)
		sched_yield();
}

static void block_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void receive_signal(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwait(&set, &sig);
}

static void receive_pending(void)
{
	sigset_t set;

	do {
		sched_yield();
		sigpending(&set);
	} while (!sigismember(&set, SIGUSR1));
}

/* ------------------------------------------------------- other ways of IPC */

static void open_named(void)
{
	char name[80];

	/* Ids are virtual, and so the same in all runs; folders are real. */
	snprintf(name, sizeof(name), "/%s", strrchr(dir, '/') + 1);
	semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
	if (semaphore == SEM_FAILED)
		abort();
	sem_unlink(name);
}

static void post(void)
{
	sem_post(semaphore);
}

static void wait_semaphore(void)
{
	sem_wait(semaphore);
}

static void open_shared_semaphore(void)
{
	semaphore = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sem_init(semaphore, 1, 0);
}

static void open_sysv(void)
{
	in = semget(IPC_PRIVATE, 1, 0600 | IPC_CREAT);
}

static void send_sysv(void)
{
	struct sembuf b = { .sem_op = 1 };

	semop(in, &b, 1);
}

static void receive_sysv(void)
{
	struct sembuf b = { .sem_op = -1, .sem_flg = IPC_NOWAIT };

	while (semop(in, &b, 1))
		sched_yield();
	semctl(in, 0, IPC_RMID);
}

static void open_messages(void)
{
	in = msgget(IPC_PRIVATE, 0600 | IPC_CREAT);
}

static void send_message(void)
{
	long message[2] = { 1, 2 };

	msgsnd(in, message, sizeof(long), 0);
}

static void receive_message(void)
{
	long message[2];

	while (msgrcv(in, message, sizeof(long), 0, IPC_NOWAIT) < 0)
		sched_yield();
	msgctl(in, IPC_RMID, NULL);
}

static void open_mqueue(void)
{
	struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 1 };
	char name[80];

	snprintf(name, sizeof(name), "/%s", strrchr(dir, '/') + 1);
	in = out = mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600, &a);
	if (in < 0)
		abort();
	mq_unlink(name);
}

static void send_mqueue(void)
{
	mq_send(out, "x", 1, 0);
}

static void receive_mqueue(void)
{
	char c;

	while (mq_receive(in, &c, 1, NULL) < 0)
		sched_yield();
}

static void send_child(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
}

static void receive_child(void)
{
	while (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
		sched_yield();
}

/* ----------------------------------------------------------------- table */

static void nothing(void)
{
}

struct way {
	const char *name;
	void (*open)(void);
	void (*send)(void);
	void (*receive)(void);
};

static const struct way ways[] = {
	{ "pipe", open_pipe, send_byte, receive_byte },
	{ "pipe-try", open_pipe, send_byte, receive_by_try },
	{ "pipe-end", open_pipe, send_end, receive_end },
	{ "pipe-dup", open_pipe, send_by_dup, receive_byte },
	{ "pair", open_pair, send_byte, receive_byte },
	{ "tcp", open_tcp, send_byte, receive_byte },
	{ "fifo", open_fifo, send_byte, receive_byte },
	{ "child", open_child, send_byte, receive_byte },
	{ "poll", open_pipe, send_byte, receive_by_poll },
	{ "poll-end", open_pipe, send_end, receive_by_poll },
	{ "select", open_pipe, send_byte, receive_by_select },
	{ "epoll", open_pipe, send_byte, receive_by_epoll },
	{ "eventfd", open_eventfd, send_event, receive_event },
	{ "timerfd", open_timer, start_timer, receive_by_poll },
	{ "signalfd", open_signalfd, send_signal_to_process,
	  receive_signal_fd },
	{ "inotify", open_watch, create, receive_watch },
	{ "file", open_file, send_byte, receive_file },
	{ "file-size", open_file, send_byte, receive_size },
	{ "file-stat", nothing, create, receive_stat },
	{ "file-open", nothing, create, receive_open },
	{ "file-access", nothing, create, receive_access },
	{ "file-rename", nothing, send_rename, receive_unlink },
	{ "directory", nothing, send_directory, receive_directory },
	{ "flock", open_locked, unlock_file, receive_flock },
	{ "flock-close", open_locked, close_file, receive_flock },
	{ "record-lock", open_record_locked, unlock_record,
	  receive_record_lock },
	{ "handler", open_handler, send_signal, receive_handler },
	{ "handler-process", open_handler, send_signal_to_process,
	  receive_handler },
	{ "sigwait", block_signal, send_signal, receive_signal },
	{ "sigwait-process", block_signal, send_signal_to_process,
	  receive_signal },
	{ "sigpending", block_signal, send_signal, receive_pending },
	{ "named-semaphore", open_named, post, wait_semaphore },
	{ "shared-semaphore", open_shared_semaphore, post, wait_semaphore },
	{ "sysv-semaphore", open_sysv, send_sysv, receive_sysv },
	{ "sysv-message", open_messages, send_message, receive_message },
	{ "mqueue", open_mqueue, send_mqueue, receive_mqueue },
	{ "wait", nothing, send_child, receive_child },
};

static const struct way *way;

static void *send_it(void *arg)
{
	data = 42;
	way->send();
	return arg;
}

static void *receive_it(void *arg)
{
	way->receive();
	assert(data == 42);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t sender;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (argc == 2 && !strcmp(ways[i].name, argv[1]))
			way = &ways[i];
	if (!way) {
		for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
			puts(ways[i].name);
		return 2;
	}
	strcpy(dir, "/tmp/explore-handover.XXXXXX");
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/it", dir);
	way->open();
	pthread_create(&receiver, NULL, receive_it, NULL);
	pthread_create(&sender, NULL, send_it, NULL);
	pthread_join(sender, NULL);
	pthread_join(receiver, NULL);
	unlink(path);
	rmdir(dir);
	puts("ok");
	return 0;
}
