/* SPDX-License-Identifier: MIT */
/* ipc.c - pipes, FIFOs, eventfd(2), message queues, semaphores, shared memory. */
#include "system.h"

#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

static int fd[2];

static void *write_all(void *arg)
{
	size_t bytes = (size_t)(intptr_t)arg;
	char *data = malloc(bytes);
	ssize_t n;

	memset(data, 'a', bytes);
	n = write(fd[1], data, bytes);
	free(data);
	close(fd[1]);
	return (void *)(intptr_t)n;
}

/* Read to the end; the sum of the bytes. */
static long drain(int from)
{
	static char buf[4096];
	long sum = 0;
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		sum += n;
	return n < 0 ? -errno : sum;
}

/* One write of more than a pipe holds returns when all is read. */
static void pipe_big_write(void)
{
	pthread_t t;

	TELL(pipe(fd));
	t = start(write_all, (void *)300000);
	TELL(drain(fd[0]));
	TELL((long)join(t));
}

/* writev(2) and readv(2) over several buffers. */
static void *write_parts(void *arg)
{
	static char a[50000], b[1], c[70000];
	struct iovec part[] = { { a, sizeof(a) }, { b, 1 }, { c, sizeof(c) } };

	(void)arg;
	return (void *)(intptr_t)writev(fd[1], part, 3);
}

static void pipe_vectors(void)
{
	static char x[60000], y[60001];
	struct iovec part[] = { { x, sizeof(x) }, { y, sizeof(y) } };
	pthread_t t;
	long sum = 0;

	TELL(pipe(fd));
	t = start(write_parts, NULL);
	while (sum < 120001)
		sum += readv(fd[0], part, 2);
	TELL(sum);
	TELL((long)join(t));
}

/* Small writes to a pipe are not mixed (pipe(7), PIPE_BUF). */
static void *write_lines(void *arg)
{
	char line[1000];

	memset(line, (int)(intptr_t)arg, sizeof(line));
	for (int i = 0; i < 100; i++)
		if (write(fd[1], line, sizeof(line)) != sizeof(line))
			return (void *)1;
	return NULL;
}

static void pipe_atomic(void)
{
	pthread_t a, b;
	char line[1000];
	int mixed = 0, nr[2] = { 0, 0 };

	TELL(pipe(fd));
	a = start(write_lines, (void *)'a');
	b = start(write_lines, (void *)'b');
	for (int i = 0; i < 200; i++) {
		size_t n = 0;

		while (n < sizeof(line))
			n += (size_t)read(fd[0], line + n, sizeof(line) - n);
		mixed += line[0] != line[999] || line[0] != line[500];
		nr[line[0] == 'b']++;
	}
	TELL((long)join(a));
	TELL((long)join(b));
	say("mixed %d, %d and %d\n", mixed, nr[0], nr[1]);
}

/* A pipe that does not wait: EAGAIN, and how much there is room for. */
static void pipe_nonblocking(void)
{
	static char buf[1 << 20];

	TELL(pipe2(fd, O_NONBLOCK));
	TELL(read(fd[0], buf, 1));
	TELL(write(fd[1], buf, sizeof(buf)));
	TELL(write(fd[1], buf, 1));
	TELL(read(fd[0], buf, sizeof(buf)));
	TELL(fcntl(fd[1], F_GETPIPE_SZ));
	TELL(fcntl(fd[1], F_SETPIPE_SZ, 4096));
	TELL(write(fd[1], buf, 5000));
	TELL_TRUE(fcntl(fd[0], F_GETFL) & O_NONBLOCK);
}

/* End of file when the last writer is gone. */
static void *close_late(void *arg)
{
	(void)arg;
	close(fd[1]);
	return NULL;
}

static void pipe_end(void)
{
	pthread_t t;
	char c;

	TELL(pipe(fd));
	t = start(close_late, NULL);
	TELL(read(fd[0], &c, 1));
	join(t);
	TELL(read(-1, &c, 1));
	TELL(write(fd[0], &c, 1));
}

/* tee(2), splice(2), vmsplice(2): data goes round. */
static int other[2];

static void *splice_on(void *arg)
{
	long sum = 0, n;

	(void)arg;
	while ((n = splice(fd[0], NULL, other[1], NULL, 65536, 0)) > 0)
		sum += n;
	close(other[1]);
	return (void *)sum;
}

static void splices(void)
{
	struct iovec v = { (void *)"hello, world", 12 };
	pthread_t a, b;

	TELL(pipe(fd));
	TELL(pipe(other));
	TELL(vmsplice(fd[1], &v, 1, 0));
	TELL(tee(fd[0], other[1], 100, 0));
	a = start(splice_on, NULL);
	b = start(write_all, (void *)200000);
	TELL(drain(other[0]));
	TELL((long)join(a));
	TELL((long)join(b));
}

/* Opening a FIFO waits for the other side. */
static char fifo[64];

static void *open_writer(void *arg)
{
	int w = open(fifo, O_WRONLY);

	(void)arg;
	return (void *)(intptr_t)(w < 0 ? -errno : write(w, "fifo", 4) +
				  10 * close(w));
}

static void fifo_open(void)
{
	char buf[8] = "";
	pthread_t t;
	int r;

	scratch(fifo, sizeof(fifo), "fifo");
	TELL(mkfifo(fifo, 0600));
	TELL(open(fifo, O_WRONLY | O_NONBLOCK));
	t = start(open_writer, NULL);
	r = open(fifo, O_RDONLY);
	TELL_TRUE(r >= 0);
	TELL(read(r, buf, sizeof(buf)));
	TELL(read(r, buf, sizeof(buf)));
	say("%s\n", buf);
	TELL((long)join(t));
	close(r);
	unlink(fifo);
}

/* eventfd(2): counting, and as a semaphore. */
static void *add_three(void *arg)
{
	for (int i = 0; i < 3; i++)
		eventfd_write(*(int *)arg, 1);
	return NULL;
}

static void eventfds(void)
{
	int e = eventfd(0, EFD_SEMAPHORE), f = eventfd(5, EFD_NONBLOCK);
	uint64_t n = 0;
	pthread_t t = start(add_three, &e);

	for (int i = 0; i < 3; i++) {
		TELL(read(e, &n, 8));
		TELL((long)n);
	}
	join(t);
	TELL(read(f, &n, 8));
	TELL((long)n);
	TELL(read(f, &n, 8));
	n = UINT64_MAX;
	TELL(write(f, &n, 8));
	n = UINT64_MAX - 1;
	TELL(write(f, &n, 8));
	n = 1;
	TELL(write(f, &n, 8));
}

/* An eventfd that is full makes its writer wait. */
static void *add_to_full(void *arg)
{
	uint64_t n = 2;

	return (void *)(intptr_t)write(*(int *)arg, &n, 8);
}

static void eventfd_full(void)
{
	int e = eventfd(0, 0);
	uint64_t n = UINT64_MAX - 1;
	pthread_t t;

	TELL(write(e, &n, 8));
	t = start(add_to_full, &e);
	TELL(read(e, &n, 8));
	TELL_TRUE(n == UINT64_MAX - 1);
	TELL(read(e, &n, 8));
	TELL((long)n);
	TELL((long)join(t));
}

/* POSIX message queues: by priority, full and empty ones wait. */
static mqd_t queue;

static void *send_four(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 4; i++)
		if (mq_send(queue, "m", 1, 0))
			return (void *)1;
	return NULL;
}

static void message_queue(void)
{
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 8 };
	char name[64], buf[8];
	unsigned int priority = 0;
	struct timespec past = { 1, 0 };
	pthread_t t;

	snprintf(name, sizeof(name), "/explore-system-%d", (int)getpid());
	queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (queue == -1) {
		abort();
	}
	mq_unlink(name);
	t = start(send_four, NULL);
	for (int i = 0; i < 4; i++)
		TELL(mq_receive(queue, buf, 8, NULL));
	TELL((long)join(t));
	TELL(mq_send(queue, "low", 3, 1));
	TELL(mq_send(queue, "high", 4, 9));
	TELL(mq_timedsend(queue, "x", 1, 0, &past));
	TELL(mq_receive(queue, buf, 8, &priority));
	TELL((long)priority);
	TELL(mq_receive(queue, buf, 4, NULL));
	TELL(mq_receive(queue, buf, 8, NULL));
	TELL(mq_timedreceive(queue, buf, 8, NULL, &past));
	mq_close(queue);
}

/* mq_notify(3) by signal. */
static volatile sig_atomic_t nr_notified;

static void notified(int sig)
{
	(void)sig;
	nr_notified++;
}

static void message_notify(void)
{
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 8 };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = SIGUSR1 };
	sigset_t set, old;
	char name[64];

	snprintf(name, sizeof(name), "/explore-notify-%d", (int)getpid());
	queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	mq_unlink(name);
	signal(SIGUSR1, notified);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	TELL(mq_notify(queue, &e));
	TELL(mq_send(queue, "m", 1, 0));
	while (!nr_notified)
		sigsuspend(&old);
	TELL((long)nr_notified);
	mq_close(queue);
}

/* System V messages between threads: by type, with waiting. */
static int msg_id;

struct message {
	long type;
	char text[16];
};

static void *receive_typed(void *arg)
{
	struct message m;
	ssize_t n = msgrcv(msg_id, &m, sizeof(m.text), (long)arg, 0);

	return (void *)(intptr_t)(n < 0 ? -errno : m.text[0]);
}

static void sysv_messages(void)
{
	struct message m = { 2, "two" };
	struct msqid_ds ds;
	pthread_t a, b;

	msg_id = msgget(IPC_PRIVATE, 0600);
	a = start(receive_typed, (void *)1);
	b = start(receive_typed, (void *)2);
	TELL(msgsnd(msg_id, &m, 4, 0));
	m = (struct message){ 1, "one" };
	TELL(msgsnd(msg_id, &m, 4, 0));
	TELL_TRUE(join(a) == 'o');
	TELL_TRUE(join(b) == 't');
	TELL(msgrcv(msg_id, &m, 16, 0, IPC_NOWAIT));
	TELL(msgctl(msg_id, IPC_STAT, &ds));
	TELL((long)ds.msg_qnum);
	TELL_TRUE(ds.msg_lspid == getpid());
	TELL(msgctl(msg_id, IPC_RMID, NULL));
	TELL(msgsnd(msg_id, &m, 4, 0));
}

/* A full System V queue makes the sender wait. */
static void *send_many(void *arg)
{
	static struct {
		long type;
		char text[8000];
	} m = { 1, "" };

	(void)arg;
	for (int i = 0; i < 8; i++)
		if (msgsnd(msg_id, &m, sizeof(m.text), 0))
			return (void *)1;
	return NULL;
}

static void sysv_full(void)
{
	static struct {
		long type;
		char text[8000];
	} m;
	pthread_t t;

	msg_id = msgget(IPC_PRIVATE, 0600);
	t = start(send_many, NULL);
	for (int i = 0; i < 8; i++)
		if (msgrcv(msg_id, &m, sizeof(m.text), 0, 0) != sizeof(m.text))
			abort();
	TELL((long)join(t));
	TELL(msgctl(msg_id, IPC_RMID, NULL));
}

/* System V semaphores: as a lock, with several operations at once. */
static int sem_id;
static long counter;

static void *add_locked(void *arg)
{
	struct sembuf down = { 0, -1, SEM_UNDO }, up = { 0, 1, SEM_UNDO };

	(void)arg;
	for (int i = 0; i < 5; i++) {
		if (semop(sem_id, &down, 1))
			return (void *)1;
		counter++;
		if (semop(sem_id, &up, 1))
			return (void *)1;
	}
	return NULL;
}

static void sysv_semaphores(void)
{
	union semun {
		int val;
		unsigned short *array;
	} one = { .val = 1 };
	struct sembuf both[] = { { 0, -1, IPC_NOWAIT }, { 1, -1, IPC_NOWAIT } };
	struct timespec soon = { 0, 5000000 };
	struct sembuf zero = { 0, 0, 0 };
	pthread_t a, b;

	sem_id = semget(IPC_PRIVATE, 2, 0600);
	TELL(semctl(sem_id, 0, SETVAL, one));
	a = start(add_locked, NULL);
	b = start(add_locked, NULL);
	TELL((long)join(a));
	TELL((long)join(b));
	TELL(counter);
	TELL(semop(sem_id, both, 2));
	TELL(semctl(sem_id, 0, GETVAL));
	TELL(semtimedop(sem_id, &zero, 1, &soon));
	TELL(semctl(sem_id, 0, IPC_RMID));
}

/* Shared memory and a semaphore in it, between processes. */
static void shared_semaphore(void)
{
	struct {
		sem_t go, done;
		int value;
	} *s;
	pid_t child;

	s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		 -1, 0);
	TELL(sem_init(&s->go, 1, 0));
	TELL(sem_init(&s->done, 1, 0));
	child = fork();
	if (!child) {
		sem_wait(&s->go);
		s->value = 42;
		sem_post(&s->done);
		_exit(0);
	}
	TELL(sem_post(&s->go));
	TELL(sem_wait(&s->done));
	TELL((long)s->value);
	waitpid(child, NULL, 0);
}

/* A process-shared mutex and condition, between processes. */
static void shared_condition(void)
{
	struct {
		pthread_mutex_t m;
		pthread_cond_t c;
		int turn;
	} *s;
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	pid_t child;

	s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		 -1, 0);
	pthread_mutexattr_init(&ma);
	TELL_ERROR(pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED));
	pthread_condattr_init(&ca);
	TELL_ERROR(pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED));
	pthread_mutex_init(&s->m, &ma);
	pthread_cond_init(&s->c, &ca);
	child = fork();
	for (int i = 0; i < 3; i++) {
		int me = child ? 0 : 1;

		pthread_mutex_lock(&s->m);
		while (s->turn % 2 != me)
			pthread_cond_wait(&s->c, &s->m);
		s->turn++;
		pthread_cond_broadcast(&s->c);
		pthread_mutex_unlock(&s->m);
	}
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	TELL((long)s->turn);
}

/* System V shared memory. */
static void sysv_memory(void)
{
	int id = shmget(IPC_PRIVATE, 8192, 0600);
	struct shmid_ds ds;
	int *p = shmat(id, NULL, 0);
	pid_t child = fork();

	if (!child) {
		p[1] = 7;
		_exit(0);
	}
	waitpid(child, NULL, 0);
	TELL((long)p[1]);
	TELL(shmctl(id, IPC_STAT, &ds));
	TELL((long)ds.shm_nattch);
	TELL((long)ds.shm_segsz);
	TELL_TRUE(ds.shm_cpid == getpid());
	TELL(shmdt(p));
	TELL(shmctl(id, IPC_RMID, NULL));
	TELL_TRUE(shmat(id, NULL, 0) == (void *)-1);
}

int main(int argc, char **argv)
{
	static const struct program programs[] = {
		{ "pipe-big", pipe_big_write },
		{ "pipe-vectors", pipe_vectors },
		{ "pipe-atomic", pipe_atomic },
		{ "pipe-nonblock", pipe_nonblocking },
		{ "pipe-end", pipe_end },
		{ "splice", splices },
		{ "fifo", fifo_open },
		{ "eventfd", eventfds },
		{ "eventfd-full", eventfd_full },
		{ "mq", message_queue },
		{ "mq-notify", message_notify },
		{ "msg", sysv_messages },
		{ "msg-full", sysv_full },
		{ "sem", sysv_semaphores },
		{ "shared-sem", shared_semaphore },
		{ "shared-cond", shared_condition },
		{ "shm", sysv_memory },
		{ NULL, NULL },
	};

	return system_main(programs, argc, argv);
}
