/* SPDX-License-Identifier: MIT */
/*
 * ok_ipc.c - message queues and semaphores of System V and of POSIX, between
 * threads, and with a child: correct
 */
#include <assert.h>
#include <errno.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

struct letter {
	long type;
	char text[2000];
};

static int queue, sems;
static mqd_t posix_queue;

/* ---------------------------------------------------------- System V queue */

static void *receive_by_type(void *arg)
{
	struct letter m;

	(void)arg;
	assert(msgrcv(queue, &m, sizeof(m.text), 3, 0) == 1 && m.text[0] == '3');
	assert(msgrcv(queue, &m, sizeof(m.text), -2, 0) == 1 && m.type <= 2);
	assert(msgrcv(queue, &m, sizeof(m.text), 7, MSG_EXCEPT) == 1);
	assert(msgrcv(queue, &m, 0, 0, MSG_NOERROR) == 0);
	return NULL;
}

static void send_types(void)
{
	static const long types[] = { 1, 2, 3, 4 };

	for (int i = 0; i < 4; i++) {
		struct letter m = { .type = types[i] };

		m.text[0] = (char)('0' + types[i]);
		assert(!msgsnd(queue, &m, 1, 0));
	}
}

/* More than the queue holds. */
static void *send_many(void *arg)
{
	struct letter m = { .type = 1 };

	(void)arg;
	for (int i = 0; i < 20; i++)
		assert(!msgsnd(queue, &m, sizeof(m.text), 0));
	return NULL;
}

static void check_queue(void)
{
	struct letter m;
	pthread_t t;

	queue = msgget(IPC_PRIVATE, 0600);
	assert(queue >= 0);
	assert(msgrcv(queue, &m, 1, 0, IPC_NOWAIT) == -1 && errno == ENOMSG);
	t = guest_start(receive_by_type, NULL);
	send_types();
	guest_join(t);
	t = guest_start(send_many, NULL);
	for (int i = 0; i < 20; i++)
		assert(msgrcv(queue, &m, sizeof(m.text), 0, 0) == 2000);
	guest_join(t);
	assert(!msgctl(queue, IPC_RMID, NULL));
}

/* Whoever waits when the queue goes away is told. */
static void *receive_none(void *arg)
{
	struct letter m;

	(void)arg;
	assert(msgrcv(queue, &m, 1, 0, 0) == -1);
	assert(errno == EIDRM || errno == EINVAL);
	return NULL;
}

static void check_removal(void)
{
	pthread_t t;

	queue = msgget(IPC_PRIVATE, 0600);
	t = guest_start(receive_none, NULL);
	assert(!msgctl(queue, IPC_RMID, NULL));
	guest_join(t);
}

/* ------------------------------------------------------ System V semaphores */

static void change(unsigned short number, short by)
{
	struct sembuf op = { number, by, 0 };

	assert(!semop(sems, &op, 1));
}

static int shared;

static void *count_up(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		change(0, -1);
		shared++;
		change(0, 1);
	}
	change(1, 1);
	return NULL;
}

static void check_sems(void)
{
	struct sembuf both[2] = { { 1, -2, 0 }, { 0, -1, 0 } };
	struct sembuf zero = { 1, 0, 0 }, now = { 1, -1, IPC_NOWAIT };
	struct timespec soon = { 0, 20000000 };
	pthread_t t[2];

	sems = semget(IPC_PRIVATE, 2, 0600);
	assert(sems >= 0);
	assert(semop(sems, &now, 1) == -1 && errno == EAGAIN);
	now.sem_flg = 0;
	assert(semtimedop(sems, &now, 1, &soon) == -1 && errno == EAGAIN);
	change(0, 1);
	for (int i = 0; i < 2; i++)
		t[i] = guest_start(count_up, NULL);
	assert(!semop(sems, both, 2));
	assert(shared == 6);
	assert(!semop(sems, &zero, 1));
	for (int i = 0; i < 2; i++)
		guest_join(t[i]);
	assert(!semctl(sems, 0, IPC_RMID));
	shared = 0;
}

/* -------------------------------------------------------------- POSIX queue */

static void *receive_posix(void *arg)
{
	unsigned priority;
	char b[16];

	(void)arg;
	for (int i = 0; i < 4; i++)
		assert(mq_receive(posix_queue, b, sizeof(b), &priority) == 1);
	return NULL;
}

static void check_posix(void)
{
	struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 16 };
	struct timespec at;
	char name[32], b[16];
	pthread_t t;

	snprintf(name, sizeof(name), "/ok_ipc%d", (int)getpid());
	mq_unlink(name);
	posix_queue = mq_open(name, O_RDWR | O_CREAT, 0600, &a);
	assert(posix_queue != (mqd_t)-1);
	mq_unlink(name);
	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec += 2;
	assert(mq_timedreceive(posix_queue, b, 16, NULL, &at) == -1);
	assert(errno == ETIMEDOUT);
	t = guest_start(receive_posix, NULL);
	for (int i = 0; i < 4; i++)
		assert(!mq_send(posix_queue, "x", 1, (unsigned)i));
	guest_join(t);
	assert(!mq_send(posix_queue, "x", 1, 0));
	assert(mq_timedsend(posix_queue, "x", 1, 0, &at) == -1);
	assert(errno == ETIMEDOUT);
	mq_close(posix_queue);
}

/* ------------------------------------------------------------------ a child */

static void check_child(void)
{
	struct letter m = { .type = 5 };
	pid_t pid;

	queue = msgget(IPC_PRIVATE, 0600);
	sems = semget(IPC_PRIVATE, 2, 0600);
	pid = fork();
	assert(pid >= 0);
	if (!pid) {
		change(0, -1);
		assert(!msgsnd(queue, &m, 1, 0));
		_exit(0);
	}
	change(0, 1);
	assert(msgrcv(queue, &m, sizeof(m.text), 5, 0) == 1);
	assert(waitpid(pid, NULL, 0) == pid);
	assert(!msgctl(queue, IPC_RMID, NULL));
	assert(!semctl(sems, 0, IPC_RMID));
}

int main(int argc, char **argv)
{
	(void)argv;
	check_queue();
	check_removal();
	check_sems();
	check_posix();
	if (argc > 1)
		check_child();
	return guest_ok();
}
