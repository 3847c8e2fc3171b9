/* SPDX-License-Identifier: MIT */
/* sockets.c - socket(2) and its calls; poll(2), select(2), epoll(7). */
#include "system.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

static int pair[2];

static void make_pair(int type)
{
	if (socketpair(AF_UNIX, type, 0, pair))
		abort();
}

/* A listening socket of TCP on a port of 127.0.0.1. */
static int listen_inet(struct sockaddr_in *a, int backlog)
{
	socklen_t bytes = sizeof(*a);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*a = (struct sockaddr_in){ .sin_family = AF_INET };
	a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(s, (struct sockaddr *)a, sizeof(*a)) || listen(s, backlog) ||
	    getsockname(s, (struct sockaddr *)a, &bytes))
		abort();
	return s;
}

/* A listening socket with an abstract name. */
static int listen_unix(struct sockaddr_un *a, socklen_t *bytes, int backlog)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*bytes = (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1 +
		 (socklen_t)snprintf(a->sun_path + 1, 90, "explore-system-%d",
				     (int)getpid());
	if (bind(s, (struct sockaddr *)a, *bytes) || listen(s, backlog))
		abort();
	return s;
}

static void *send_big(void *arg)
{
	size_t bytes = (size_t)(intptr_t)arg;
	char *data = calloc(1, bytes);
	ssize_t n = send(pair[0], data, bytes, 0);

	free(data);
	shutdown(pair[0], SHUT_WR);
	return (void *)n;
}

/* A send bigger than the buffer returns when all is taken. */
static void big_send(void)
{
	static char buf[10000];
	long sum = 0, n;
	pthread_t t;

	make_pair(SOCK_STREAM);
	t = start(send_big, (void *)(1 << 20));
	while ((n = recv(pair[1], buf, sizeof(buf), 0)) > 0)
		sum += n;
	TELL(sum);
	TELL((long)join(t));
}

/* MSG_WAITALL waits for what comes in parts; MSG_PEEK takes nothing. */
static void *send_parts(void *arg)
{
	(void)arg;
	for (int i = 0; i < 4; i++)
		if (send(pair[0], "abcd", 4, 0) != 4)
			return (void *)1;
	shutdown(pair[0], SHUT_WR);
	return NULL;
}

static void wait_all(void)
{
	char buf[32] = "";
	pthread_t t;

	make_pair(SOCK_STREAM);
	t = start(send_parts, NULL);
	TELL(recv(pair[1], buf, 10, MSG_WAITALL));
	TELL_TRUE(recv(pair[1], buf, 2, MSG_PEEK) == 2 && buf[0] == 'c');
	TELL(recv(pair[1], buf, 30, MSG_WAITALL));
	TELL(recv(pair[1], buf, 1, 0));
	TELL((long)join(t));
}

/* A TCP server and two clients. */
static struct sockaddr_in server;

static void *client(void *arg)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	char c = (char)(intptr_t)arg, answer = 0;

	if (connect(s, (struct sockaddr *)&server, sizeof(server)))
		return (void *)(intptr_t)-errno;
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (write(s, &c, 1) != 1 || read(s, &answer, 1) != 1)
		return (void *)1;
	close(s);
	return (void *)(intptr_t)(answer - c);
}

static void tcp_server(void)
{
	int s = listen_inet(&server, 5), sum = 0;
	pthread_t a = start(client, (void *)'a'), b = start(client, (void *)'k');

	for (int i = 0; i < 2; i++) {
		struct sockaddr_in peer;
		socklen_t bytes = sizeof(peer);
		int c = accept4(s, (struct sockaddr *)&peer, &bytes,
				SOCK_CLOEXEC);
		char x = 0;

		TELL_TRUE(c >= 0 && peer.sin_family == AF_INET);
		if (read(c, &x, 1) != 1)
			abort();
		sum += x;
		x++;
		TELL(write(c, &x, 1));
		TELL(read(c, &x, 1));
		close(c);
	}
	TELL_TRUE(sum == 'a' + 'k');
	TELL((long)join(a));
	TELL((long)join(b));
	close(s);
}

/* connect(2) to a full backlog waits for accept(2). */
static struct sockaddr_un local;
static socklen_t local_bytes;

static void *connect_local(void *arg)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)arg;
	if (connect(s, (struct sockaddr *)&local, local_bytes))
		return (void *)(intptr_t)-errno;
	close(s);
	return NULL;
}

static void full_backlog(void)
{
	int s = listen_unix(&local, &local_bytes, 0);
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		t[i] = start(connect_local, NULL);
	for (int i = 0; i < 4; i++)
		close(accept(s, NULL, NULL));
	for (int i = 0; i < 4; i++)
		TELL((long)join(t[i]));
}

/* Timeouts of SO_RCVTIMEO and SO_SNDTIMEO. */
static void socket_timeouts(void)
{
	struct timeval tv = { 0, 20000 };
	static char big[1 << 20];
	struct sockaddr_in a;
	int s = listen_inet(&a, 1);
	char c;

	make_pair(SOCK_STREAM);
	TELL(setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	TELL(recv(pair[1], &c, 1, 0));
	TELL(read(pair[1], &c, 1));
	TELL(setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	TELL_TRUE(send(pair[0], big, sizeof(big), 0) < (ssize_t)sizeof(big));
	TELL(send(pair[0], big, sizeof(big), 0));
	TELL(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	TELL(accept(s, NULL, NULL));
}

/* Datagrams keep their bounds; sendmmsg(2) and recvmmsg(2). */
static void *send_datagrams(void *arg)
{
	struct iovec v[3] = { { (void *)"one", 3 }, { (void *)"three", 5 },
			      { (void *)"four", 4 } };
	struct mmsghdr m[3] = { { .msg_len = 0 } };

	(void)arg;
	for (int i = 0; i < 3; i++) {
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	return (void *)(intptr_t)sendmmsg(pair[0], m, 3, 0);
}

static void datagrams(void)
{
	char buf[3][16];
	struct iovec v[3];
	struct mmsghdr m[3] = { { .msg_len = 0 } };
	pthread_t t;

	make_pair(SOCK_DGRAM);
	t = start(send_datagrams, NULL);
	for (int i = 0; i < 3; i++) {
		v[i] = (struct iovec){ buf[i], 16 };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	TELL(recvmmsg(pair[1], m, 3, 0, NULL));
	for (int i = 0; i < 3; i++)
		TELL((long)m[i].msg_len);
	TELL((long)join(t));
	TELL(recv(pair[1], buf, 1, MSG_DONTWAIT));
}

/* A descriptor and credentials travel in a message. */
static void *pass_pipe(void *arg)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec v = { (void *)"fd", 2 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), arg, sizeof(int));
	return (void *)sendmsg(pair[0], &m, 0);
}

static void descriptors_travel(void)
{
	union {
		struct cmsghdr h;
		char space[256];
	} control;
	char data[8], c = 0;
	struct iovec v = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct ucred cred = { 0, 0, 0 };
	socklen_t bytes = sizeof(cred);
	int p[2], on = 1, got = -1;
	pthread_t t;

	make_pair(SOCK_STREAM);
	TELL(pipe(p));
	TELL(write(p[1], "z", 1));
	TELL(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	t = start(pass_pipe, &p[0]);
	TELL(recvmsg(pair[1], &m, 0));
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		if (h->cmsg_type == SCM_RIGHTS)
			memcpy(&got, CMSG_DATA(h), sizeof(got));
		if (h->cmsg_type == SCM_CREDENTIALS)
			memcpy(&cred, CMSG_DATA(h), sizeof(cred));
	}
	TELL_TRUE(cred.pid == getpid() && cred.uid == getuid());
	TELL(read(got, &c, 1));
	TELL_TRUE(c == 'z');
	TELL((long)join(t));
	TELL(getsockopt(pair[1], SOL_SOCKET, SO_PEERCRED, &cred, &bytes));
	TELL_TRUE(cred.pid == getpid());
}

/* A peer that is gone: EPIPE, end of file, ECONNREFUSED. */
static void gone(void)
{
	struct sockaddr_in a;
	int s = listen_inet(&a, 1), c;
	char x;

	signal(SIGPIPE, SIG_IGN);
	make_pair(SOCK_STREAM);
	close(pair[0]);
	TELL(read(pair[1], &x, 1));
	TELL(write(pair[1], "x", 1));
	TELL(send(pair[1], "x", 1, MSG_NOSIGNAL));
	close(s);
	c = socket(AF_INET, SOCK_STREAM, 0);
	TELL(connect(c, (struct sockaddr *)&a, sizeof(a)));
	TELL(accept(c, NULL, NULL));
	TELL(recv(c, &x, 1, 0));
	TELL(socket(AF_INET, 12345, 0));
	TELL(bind(0, (struct sockaddr *)&a, sizeof(a)));
}

/* A connect that does not wait, and poll(2) for it. */
static void connect_later(void)
{
	struct sockaddr_in a;
	int s = listen_inet(&a, 1), error = -1;
	int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd p = { c, POLLOUT, 0 };
	socklen_t bytes = sizeof(error);
	int r = connect(c, (struct sockaddr *)&a, sizeof(a));

	TELL_TRUE(r == 0 || errno == EINPROGRESS);
	TELL(poll(&p, 1, 5000));
	TELL(getsockopt(c, SOL_SOCKET, SO_ERROR, &error, &bytes));
	TELL((long)error);
	TELL_TRUE(accept(s, NULL, NULL) >= 0);
	TELL(fcntl(c, F_GETFL) & O_NONBLOCK ? 1 : 0);
}

/* select(2) on a descriptor beyond most, and with FD_SETSIZE. */
static void *write_later(void *arg)
{
	return (void *)(intptr_t)write(*(int *)arg, "x", 1);
}

static void selects(void)
{
	struct timeval second = { 1, 0 };
	fd_set set;
	pthread_t t;
	char c;

	make_pair(SOCK_STREAM);
	TELL(dup2(pair[1], 900));
	FD_ZERO(&set);
	FD_SET(900, &set);
	t = start(write_later, &pair[0]);
	TELL(select(FD_SETSIZE, &set, NULL, NULL, NULL));
	TELL_TRUE(FD_ISSET(900, &set));
	TELL(read(900, &c, 1));
	join(t);
	TELL((second.tv_usec = 10000, second.tv_sec = 0,
	      select(901, &set, NULL, NULL, &second)));
	TELL_TRUE(!FD_ISSET(900, &set));
	TELL_TRUE(second.tv_sec == 0 && second.tv_usec == 0);
	FD_SET(899, &set);
	TELL(select(901, &set, NULL, NULL, NULL));
	TELL(select(-1, NULL, NULL, NULL, &second));
}

/* epoll: edge, one shot, and errors. */
static void epolls(void)
{
	struct epoll_event e = { EPOLLIN | EPOLLET, { .u32 = 1 } }, got[4];
	int ep = epoll_create1(EPOLL_CLOEXEC);
	pthread_t t;
	char c;

	make_pair(SOCK_STREAM);
	TELL(epoll_ctl(ep, EPOLL_CTL_ADD, pair[1], &e));
	TELL(epoll_ctl(ep, EPOLL_CTL_ADD, pair[1], &e));
	t = start(write_later, &pair[0]);
	TELL(epoll_wait(ep, got, 4, -1));
	TELL(epoll_wait(ep, got, 4, 1));
	e.events = EPOLLIN | EPOLLONESHOT;
	TELL(epoll_ctl(ep, EPOLL_CTL_MOD, pair[1], &e));
	TELL(epoll_wait(ep, got, 4, 1000));
	TELL(epoll_wait(ep, got, 4, 1));
	TELL(epoll_ctl(ep, EPOLL_CTL_DEL, pair[1], NULL));
	TELL(epoll_ctl(ep, EPOLL_CTL_DEL, pair[1], NULL));
	TELL(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e));
	TELL(epoll_wait(ep, got, 0, 0));
	TELL(epoll_wait(pair[0], got, 1, 0));
	TELL(read(pair[1], &c, 1));
	join(t);
}

/* Two threads wait in epoll for work of a third. */
static int shared_epoll;

static void *work(void *arg)
{
	struct epoll_event e;
	char c;
	long n = 0;

	(void)arg;
	for (;;) {
		if (epoll_wait(shared_epoll, &e, 1, -1) != 1)
			return (void *)-1;
		if (recv(pair[1], &c, 1, MSG_DONTWAIT) != 1)
			continue;
		if (c == 'q')
			return (void *)n;
		n++;
	}
}

static void epoll_workers(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	pthread_t a, b;

	make_pair(SOCK_STREAM);
	shared_epoll = epoll_create1(0);
	epoll_ctl(shared_epoll, EPOLL_CTL_ADD, pair[1], &e);
	a = start(work, NULL);
	b = start(work, NULL);
	TELL(write(pair[0], "11111qq", 7));
	TELL((long)(join(a) + join(b)));
}

/* UDP over the loopback, with addresses. */
static void udp(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET }, from;
	socklen_t bytes = sizeof(a);
	int r = socket(AF_INET, SOCK_DGRAM, 0), s = socket(AF_INET, SOCK_DGRAM, 0);
	static char buf[1 << 17];
	int n = 0;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	TELL(bind(r, (struct sockaddr *)&a, sizeof(a)));
	TELL(getsockname(r, (struct sockaddr *)&a, &bytes));
	TELL(sendto(s, "hello", 5, 0, (struct sockaddr *)&a, sizeof(a)));
	TELL(recvfrom(r, buf, sizeof(buf), 0, (struct sockaddr *)&from, &bytes));
	TELL_TRUE(from.sin_addr.s_addr == a.sin_addr.s_addr);
	TELL(connect(s, (struct sockaddr *)&a, sizeof(a)));
	TELL(send(s, "again", 5, 0));
	TELL(ioctl(r, FIONREAD, &n));
	TELL((long)n);
	TELL(recv(r, buf, 2, MSG_TRUNC));
	TELL(send(s, buf, sizeof(buf), 0));
}

int main(int argc, char **argv)
{
	static const struct program programs[] = {
		{ "big-send", big_send },
		{ "wait-all", wait_all },
		{ "tcp", tcp_server },
		{ "backlog", full_backlog },
		{ "timeouts", socket_timeouts },
		{ "datagrams", datagrams },
		{ "rights", descriptors_travel },
		{ "gone", gone },
		{ "connect-later", connect_later },
		{ "select", selects },
		{ "epoll", epolls },
		{ "epoll-workers", epoll_workers },
		{ "udp", udp },
		{ NULL, NULL },
	};

	return system_main(programs, argc, argv);
}
