/* SPDX-License-Identifier: MIT */
/* Descriptors of timers go by the clocks that everything else goes by. */
#include "guest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000L

static struct itimerspec every(long first_ms, long then_ms)
{
	return (struct itimerspec){
		.it_value = { first_ms / 1000, first_ms % 1000 * MS },
		.it_interval = { then_ms / 1000, then_ms % 1000 * MS },
	};
}

static int64_t now_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / MS;
}

static uint64_t take(int fd)
{
	uint64_t nr;

	assert(read(fd, &nr, sizeof(nr)) == sizeof(nr));
	return nr;
}

static void pass(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * MS };

	while (nanosleep(&ts, &ts))
		continue;
}

static void relative(int clock)
{
	int fd = timerfd_create(clock, TFD_CLOEXEC);
	struct itimerspec it = every(30, 0), left;
	int64_t begin = now_ms(clock);

	assert(timerfd_settime(fd, 0, &it, NULL) == 0);
	assert(timerfd_gettime(fd, &left) == 0);
	assert(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 30 * MS);
	assert(take(fd) == 1 && now_ms(clock) - begin >= 29);
	assert(timerfd_gettime(fd, &left) == 0);
	assert(left.it_value.tv_nsec == 0 && left.it_value.tv_sec == 0);
	close(fd);
}

static void absolute(int clock)
{
	int fd = timerfd_create(clock, 0);
	int64_t at = now_ms(clock) + 2000;
	struct itimerspec it = every((long)at, 0), was;

	assert(timerfd_settime(fd, TFD_TIMER_ABSTIME |
				   TFD_TIMER_CANCEL_ON_SET, &it, NULL) == 0);
	assert(take(fd) == 1 && now_ms(clock) >= at);
	it = every(1, 1);	/* long ago */
	assert(timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, &was) == 0);
	assert(was.it_value.tv_sec == 0 && was.it_value.tv_nsec == 0);
	assert(take(fd) > 1000);
	close(fd);
}

static void intervals(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec it = every(20, 10), none = every(0, 0);
	uint64_t nr;

	timerfd_settime(fd, 0, &it, NULL);
	pass(155);
	nr = take(fd);		/* 20, 30, ... 150: more when it was late */
	assert(nr >= 14 && nr <= 1000);
	assert(take(fd) >= 1);
	pass(25);
	timerfd_settime(fd, 0, &none, NULL);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	assert(read(fd, &nr, sizeof(nr)) == -1 && errno == EAGAIN);
	close(fd);
}

static void errors(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec it = every(1, 0);
	uint64_t nr;

	assert(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0) == -1 &&
	       errno == EINVAL);
	assert(timerfd_create(CLOCK_MONOTONIC, 1) == -1 && errno == EINVAL);
	assert(timerfd_settime(fd, 4, &it, NULL) == -1 && errno == EINVAL);
	assert(timerfd_settime(0x7fff, 0, &it, NULL) == -1 && errno == EBADF);
	assert(read(fd, &nr, 4) == -1 && errno == EINVAL);
	assert(write(fd, &nr, 8) == -1 && errno == EINVAL);
	it.it_value.tv_nsec = 1000 * MS;
	assert(timerfd_settime(fd, 0, &it, NULL) == -1 && errno == EINVAL);
	close(fd);
}

/* Each expiration is an edge, when it was read before. */
static void edges(void)
{
	int fd = timerfd_create(CLOCK_BOOTTIME, 0), ep = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	struct itimerspec it = every(10, 10);

	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
	timerfd_settime(fd, 0, &it, NULL);
	for (int i = 0; i < 5; i++) {
		assert(epoll_wait(ep, &e, 1, -1) == 1);
		assert(take(fd) >= 1);
	}
	assert(epoll_wait(ep, &e, 1, -1) == 1);
	assert(epoll_wait(ep, &e, 1, 30) == 0);
	close(fd);
	close(ep);
}

/* One thread waits for the timer that another one sets. */
static void *waits(void *arg)
{
	struct pollfd p = { .fd = *(int *)arg, .events = POLLIN };

	assert(poll(&p, 1, -1) == 1 && p.revents == POLLIN);
	assert(take(p.fd) == 1);
	return NULL;
}

static void between_threads(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0), copy = dup(fd);
	struct itimerspec it = every(5, 0);
	pthread_t t = guest_start(waits, &copy);

	timerfd_settime(fd, 0, &it, NULL);
	close(fd);
	guest_join(t);
	close(copy);
}

static void in_child(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0), status;
	struct itimerspec it = every(10, 10);

	timerfd_settime(fd, 0, &it, NULL);
	if (fork() == 0)
		_exit(take(fd) >= 1 ? 5 : 6);
	assert(wait(&status) > 0 && WEXITSTATUS(status) == 5);
	close(fd);
}

int main(void)
{
	relative(CLOCK_MONOTONIC);
	relative(CLOCK_REALTIME);
	relative(CLOCK_BOOTTIME);
	absolute(CLOCK_REALTIME);
	absolute(CLOCK_MONOTONIC);
	intervals();
	errors();
	edges();
	between_threads();
	in_child();
	return guest_ok();
}
