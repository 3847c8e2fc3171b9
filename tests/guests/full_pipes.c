/* SPDX-License-Identifier: MIT */
/*
 * full_pipes.c - two threads fill each other's pipe before either reads: when both
 * are full nobody can go on
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"

#define BYTES (1 << 20)

static int end[2][2];
static char text[BYTES];

static void *exchange(void *arg)
{
	int me = *(int *)arg;
	static char in[2][BYTES];
	size_t got = 0;

	assert(write(end[me][1], text, BYTES) == BYTES);
	while (got < BYTES) {
		ssize_t n = read(end[!me][0], in[me], BYTES - got);

		assert(n > 0);
		got += (size_t)n;
	}
	return NULL;
}

/* The same by queues of one message each. */
static mqd_t queue[2];

static void *exchange_messages(void *arg)
{
	int me = *(int *)arg;
	char in[8];

	for (int i = 0; i < 2; i++)
		assert(!mq_send(queue[me], "x", 1, 0));
	for (int i = 0; i < 2; i++)
		assert(mq_receive(queue[!me], in, sizeof(in), NULL) == 1);
	return NULL;
}

static void make_queue(int i)
{
	struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	char name[32];

	snprintf(name, sizeof(name), "/full_pipes%d", i);
	do {
		mq_unlink(name);
		queue[i] = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &a);
	} while (queue[i] == (mqd_t)-1 && errno == EEXIST);
	assert(queue[i] != (mqd_t)-1);
	mq_unlink(name);
}

int main(int argc, char **argv)
{
	static int who[2] = { 0, 1 };
	void *(*f)(void *) = exchange;
	const char *how = argc > 1 ? argv[1] : "pipe";
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		if (!strcmp(how, "queue"))
			make_queue(i);
		else if (!strcmp(how, "socket"))
			assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, end[i]));
		else
			assert(!pipe(end[i]));
	if (!strcmp(how, "queue"))
		f = exchange_messages;
	for (int i = 0; i < 2; i++)
		t[i] = guest_start(f, &who[i]);
	for (int i = 0; i < 2; i++)
		guest_join(t[i]);
	return guest_ok();
}
