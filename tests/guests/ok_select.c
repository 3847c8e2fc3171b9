/* SPDX-License-Identifier: MIT */
/*
 * ok_select.c - select with all the bits there are, more than that, and what is
 * left of its time: correct
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define HIGH 1500
#define WORDS 32	/* 2,048 descriptors */

static int end[2];

static void *tell(void *arg)
{
	(void)arg;
	assert(write(end[1], "x", 1) == 1);
	return NULL;
}

static void take(void)
{
	char c;

	assert(read(end[0], &c, 1) == 1);
}

static void check_setsize(void)
{
	struct timeval minute = { 60, 0 };
	fd_set in, out, other;
	pthread_t t = guest_start(tell, NULL);

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&other);
	FD_SET(end[0], &in);
	FD_SET(end[0], &other);
	assert(select(FD_SETSIZE, &in, &out, &other, &minute) == 1);
	assert(FD_ISSET(end[0], &in) && !FD_ISSET(end[0], &other));
	assert(minute.tv_sec <= 60 && minute.tv_sec >= 50);
	guest_join(t);
	take();
	FD_SET(end[0], &in);
	FD_SET(end[1], &out);
	assert(select(FD_SETSIZE, &in, &out, NULL, NULL) == 1);
	assert(FD_ISSET(end[1], &out) && !FD_ISSET(end[0], &in));
}

static void check_time(void)
{
	struct timeval soon = { 0, 3000000 };
	struct timespec past = { 0, -1 };
	fd_set in;

	FD_ZERO(&in);
	FD_SET(end[0], &in);
	assert(select(FD_SETSIZE, &in, NULL, NULL, &soon) == 0);
	assert(!soon.tv_sec && !soon.tv_usec && !FD_ISSET(end[0], &in));
	assert(pselect(FD_SETSIZE, &in, NULL, NULL, &past, NULL) == -1);
	assert(errno == EINVAL);
	assert(select(-1, NULL, NULL, NULL, NULL) == -1 && errno == EINVAL);
}

/* As the kernel has it: any number of descriptors. */
static void check_beyond(void)
{
	struct rlimit limit = { 2048, 2048 };
	unsigned long words[WORDS] = { 0 };
	pthread_t t;
	int high;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		return;
	high = fcntl(end[0], F_DUPFD, HIGH);
	assert(high >= HIGH);
	words[high / 64] |= 1ul << high % 64;
	t = guest_start(tell, NULL);
	assert(syscall(SYS_select, high + 1, words, NULL, NULL, NULL) == 1);
	assert(words[high / 64] & 1ul << high % 64);
	guest_join(t);
	take();
	close(high);
	words[0] = 1ul << 60;	/* not open */
	assert(syscall(SYS_select, 64, words, NULL, NULL, NULL) == -1);
	assert(errno == EBADF);
}

static void check_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET }, got;
	struct timespec short_time = { 0, 5000000 };
	int epoll = epoll_create1(0);
	pthread_t t = guest_start(tell, NULL);

	assert(!epoll_ctl(epoll, EPOLL_CTL_ADD, end[0], &e));
	assert(epoll_pwait2(epoll, &got, 1, NULL, NULL) == 1);
	/* An edge is told once. */
	assert(epoll_pwait2(epoll, &got, 1, &short_time, NULL) == 0);
	guest_join(t);
	take();
	e.events = EPOLLIN | EPOLLONESHOT;
	assert(!epoll_ctl(epoll, EPOLL_CTL_MOD, end[0], &e));
	t = guest_start(tell, NULL);
	assert(epoll_wait(epoll, &got, 1, -1) == 1);
	assert(epoll_wait(epoll, &got, 1, 5) == 0);
	guest_join(t);
	take();
	close(epoll);
}

int main(void)
{
	assert(!pipe(end));
	check_setsize();
	check_time();
	check_beyond();
	check_epoll();
	return guest_ok();
}
