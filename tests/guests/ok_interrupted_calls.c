/* SPDX-License-Identifier: MIT */
/*
 * ok_interrupted_calls.c - a handler runs while a call waits: with SA_RESTART the
 * call goes on where signal(7) says so, and what was moved is the answer: correct
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"

static int end[2], pair[2], queue, sems;
static volatile sig_atomic_t caught;
static pthread_t waiter;
static char big[1 << 20];

static void handle(int sig)
{
	(void)sig;
	caught = 1;
}

static void catch(int flags)
{
	struct sigaction a = { .sa_handler = handle, .sa_flags = flags };

	assert(!sigaction(SIGUSR1, &a, NULL));
	caught = 0;
}

/* Interrupts, and then gives what is waited for. */
static void *interrupt(void *arg)
{
	void (*give)(void) = *(void (**)(void))arg;

	while (!caught) {
		assert(!pthread_kill(waiter, SIGUSR1));
		usleep(1000);
	}
	if (give)
		give();
	return NULL;
}

static void put_byte(void)
{
	assert(write(end[1], "x", 1) == 1);
}

static long read_byte(void)
{
	char c;

	return read(end[0], &c, 1);
}

static long receive_message(void)
{
	struct {
		long type;
		char text[8];
	} m;

	return msgrcv(queue, &m, 8, 0, 0);
}

static long take_semaphore(void)
{
	struct sembuf op = { 0, -1, 0 };

	return semop(sems, &op, 1);
}

static long poll_forever(void)
{
	struct pollfd p = { .fd = end[0], .events = POLLIN };

	return poll(&p, 1, -1);
}

static long select_forever(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(end[0], &set);
	return select(FD_SETSIZE, &set, NULL, NULL, NULL);
}

static long write_big(void)
{
	return write(pair[1], big, sizeof(big));
}

static long check(long (*call)(void), int flags, void (*give)(void))
{
	pthread_t t;
	long r;

	catch(flags);
	waiter = pthread_self();
	t = guest_start(interrupt, &give);
	errno = 0;
	r = call();
	guest_join(t);
	return r;
}

int main(void)
{
	long r;

	assert(!pipe(end) && !socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	queue = msgget(IPC_PRIVATE, 0600);
	sems = semget(IPC_PRIVATE, 1, 0600);
	assert(check(read_byte, SA_RESTART, put_byte) == 1);
	assert(check(read_byte, 0, NULL) == -1 && errno == EINTR);
	assert(check(receive_message, SA_RESTART, NULL) == -1);
	assert(errno == EINTR);
	assert(check(take_semaphore, SA_RESTART, NULL) == -1);
	assert(errno == EINTR);
	assert(check(poll_forever, SA_RESTART, NULL) == -1 && errno == EINTR);
	assert(check(select_forever, SA_RESTART, NULL) == -1);
	assert(errno == EINTR);
	/* Some of it was written, unless the handler came before. */
	r = check(write_big, 0, NULL);
	assert((r > 0 && r < (long)sizeof(big)) || (r == -1 && errno == EINTR));
	assert(!msgctl(queue, IPC_RMID, NULL) && !semctl(sems, 0, IPC_RMID));
	return guest_ok();
}
