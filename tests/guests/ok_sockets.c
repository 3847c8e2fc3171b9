/* SPDX-License-Identifier: MIT */
/*
 * ok_sockets.c - a TCP server with epoll and clients in threads: correct
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"

#define NR_CLIENTS 3

static struct sockaddr_in address = { .sin_family = AF_INET };

static void *ask(void *arg)
{
	char c = (char)('a' + (uintptr_t)arg), answer;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert(!connect(fd, (void *)&address, sizeof(address)));
	assert(send(fd, &c, 1, 0) == 1);
	assert(recv(fd, &answer, 1, 0) == 1);
	assert(answer == c - 'a' + 'A');
	close(fd);
	return NULL;
}

static int answer_one(int fd)
{
	char c;
	ssize_t n = read(fd, &c, 1);

	if (n < 1) {
		assert(!n);
		close(fd);
		return 1;
	}
	c = (char)(c - 'a' + 'A');
	assert(write(fd, &c, 1) == 1);
	return 0;
}

static void serve(int listener)
{
	struct epoll_event event = { .events = EPOLLIN };
	int poller = epoll_create1(EPOLL_CLOEXEC), nr_closed = 0;

	event.data.fd = listener;
	assert(!epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event));
	while (nr_closed < NR_CLIENTS) {
		assert(epoll_wait(poller, &event, 1, -1) == 1);
		if (event.data.fd == listener) {
			event.data.fd = accept(listener, NULL, NULL);
			assert(event.data.fd >= 0);
			event.events = EPOLLIN;
			assert(!epoll_ctl(poller, EPOLL_CTL_ADD,
					  event.data.fd, &event));
		} else {
			nr_closed += answer_one(event.data.fd);
		}
	}
	close(poller);
}

int main(void)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socklen_t bytes = sizeof(address);
	pthread_t thread[NR_CLIENTS];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert(!bind(listener, (void *)&address, sizeof(address)));
	assert(!getsockname(listener, (void *)&address, &bytes));
	assert(!listen(listener, NR_CLIENTS));
	assert(accept(listener, NULL, NULL) == -1 && errno == EAGAIN);
	for (uintptr_t i = 0; i < NR_CLIENTS; i++)
		thread[i] = guest_start(ask, (void *)i);
	serve(listener);
	for (int i = 0; i < NR_CLIENTS; i++)
		guest_join(thread[i]);
	close(listener);
	return guest_ok();
}
