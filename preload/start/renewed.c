/* SPDX-License-Identifier: MIT */
/*
 * renewed.c - descriptors of before main that each run makes anew: pipes, event
 * counters, timers, epoll sets.
 *
 * The zygote has the old ones open, so a pipe would never end, and what a run
 * takes out of one would be gone for the next. Epoll sets are filled last, with
 * the new ones in them.
 */
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/time.h>

#include "preload/arch/sys.h"
#include "preload/start/inherited.h"
#include "preload/start/renewed.h"

#define MAX_WATCHED 256u
#define EFD_SEMAPHORE 1		/* which not every kernel header has */

static struct watched {
	uint32_t set;		/* in the list of descriptors */
	int32_t fd;
	struct epoll_event event;
} watched[MAX_WATCHED];
static uint32_t nr_watched;

/* ---------------------------------------------------------- the zygote */

/* Nobody says it (before Linux 6.5), but it shows. */
static bool counts_down(const struct inherited *n)
{
	uint64_t two = 2, got = 0;

	sys_call3(__NR_fcntl, n->fd, F_SETFL, n->flags | O_NONBLOCK);
	sys_call3(__NR_write, n->fd, &two, sizeof(two));
	sys_call3(__NR_read, n->fd, &got, sizeof(got));
	/* As it was, though nobody will look. */
	if (got == 1)
		sys_call3(__NR_read, n->fd, &got, sizeof(got));
	else if (n->count)
		sys_call3(__NR_write, n->fd, &n->count, sizeof(n->count));
	sys_call3(__NR_fcntl, n->fd, F_SETFL, n->flags);
	return got == 1;
}

static bool find_event(struct inherited *n)
{
	const char *at = fdinfo_find(fdinfo_read(n->fd), "eventfd-count:");

	if (!at)
		return false;
	fdinfo_number(at, 16, &n->count);
	n->is_semaphore = counts_down(n);
	return true;
}

static bool find_timer(struct inherited *n)
{
	const char *text = fdinfo_read(n->fd);
	const char *clock = fdinfo_find(text, "clockid:");
	const char *ticks = fdinfo_find(text, "ticks:");
	uint64_t expired = 0;

	if (!clock || !ticks ||
	    sys_call2(__NR_timerfd_gettime, n->fd, n->timer) < 0)
		return false;
	fdinfo_number(clock, 10, &n->clock);
	fdinfo_number(ticks, 10, &expired);
	if (expired)		/* again, at once */
		n->timer[2] = 0, n->timer[3] = 1;
	return true;
}

/* "tfd:        5 events:       19 data:                5  pos:..." */
static bool find_poll(uint32_t of, const struct inherited *n)
{
	const char *at = fdinfo_read(n->fd);
	uint64_t fd, events, data;

	while ((at = fdinfo_find(at, "tfd:"))) {
		if (nr_watched == MAX_WATCHED)
			return false;
		at = fdinfo_number(at, 10, &fd);
		while (*at && *at != ':')
			at++;
		at = fdinfo_number(at + (*at == ':'), 16, &events);
		while (*at && *at != ':')
			at++;
		at = fdinfo_number(at + (*at == ':'), 16, &data);
		watched[nr_watched++] = (struct watched){
			.set = of,
			.fd = (int32_t)fd,
			.event = { (uint32_t)events, data },
		};
	}
	return true;
}

static bool is_reader(const struct inherited *n)
{
	return (n->flags & O_ACCMODE) == O_RDONLY;
}

/* The first descriptor of that pipe keeps what is in it. */
static bool find_pipe(struct inherited *all, uint32_t of)
{
	uint32_t first = 0;

	while (all[first].kind != INHERITED_PIPE ||
	       all[first].ino != all[of].ino)
		first++;
	if (first < of && !all[first].is_renewed)
		return false;
	all[of].same = first;
	if ((all[of].flags & O_ACCMODE) == O_RDWR)
		return false;
	return !is_reader(&all[of]) || all[first].contents.saved ||
	       contents_keep_pipe(&all[first].contents, all[of].fd);
}

bool renewed_find(struct inherited *all, uint32_t of)
{
	struct inherited *n = &all[of];

	if (n->kind == INHERITED_PIPE)
		return find_pipe(all, of);
	if (n->same != of)
		return all[n->same].is_renewed;
	switch (n->kind) {
	case INHERITED_EVENT:
		return find_event(n);
	case INHERITED_TIMER:
		return find_timer(n);
	case INHERITED_POLL:
		return find_poll(of, n);
	default:
		return false;
	}
}

/* ------------------------------------------------------------- the run */

static void put(int64_t from, const struct inherited *n)
{
	sys_call3(__NR_dup3, from, n->fd, n->is_cloexec ? O_CLOEXEC : 0);
	if (n->flags & (O_NONBLOCK | O_DIRECT | FASYNC))
		sys_call3(__NR_fcntl, n->fd, F_SETFL, n->flags);
}

static void make_pipe(const struct inherited *all, uint32_t nr, uint32_t first)
{
	const struct contents *c = &all[first].contents;
	int64_t room = sys_call2(__NR_fcntl, all[first].fd, F_GETPIPE_SZ);
	int32_t end[2];

	if (sys_call2(__NR_pipe2, end, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	if (room > 0)
		sys_call3(__NR_fcntl, end[1], F_SETPIPE_SZ, room);
	if (c->saved && c->bytes)
		sys_call3(__NR_write, end[1], c->saved, c->bytes);
	sys_call3(__NR_fcntl, end[0], F_SETFL, 0);
	sys_call3(__NR_fcntl, end[1], F_SETFL, 0);
	for (uint32_t i = first; i < nr; i++)
		if (all[i].is_renewed && all[i].kind == INHERITED_PIPE &&
		    all[i].same == first)
			put(end[is_reader(&all[i]) ? 0 : 1], &all[i]);
	sys_call1(__NR_close, end[0]);
	sys_call1(__NR_close, end[1]);
}

static int64_t make_timer(const struct inherited *n)
{
	int64_t fd = sys_call2(__NR_timerfd_create, n->clock, O_CLOEXEC);

	sys_call4(__NR_timerfd_settime, fd, 0, n->timer, 0);
	return fd;
}

static int64_t make_event(const struct inherited *n)
{
	int64_t fd = sys_call2(__NR_eventfd2, 0,
			       O_CLOEXEC | (n->is_semaphore ? EFD_SEMAPHORE
							    : 0));

	if (n->count)
		sys_call3(__NR_write, fd, &n->count, sizeof(n->count));
	return fd;
}

static void make_one(const struct inherited *all, uint32_t nr, uint32_t of)
{
	const struct inherited *n = &all[of];
	int64_t fd = -1;

	if (n->kind == INHERITED_EVENT)
		fd = make_event(n);
	else if (n->kind == INHERITED_TIMER)
		fd = make_timer(n);
	else if (n->kind == INHERITED_POLL)
		fd = sys_call1(__NR_epoll_create1, O_CLOEXEC);
	if (fd < 0)
		return;
	for (uint32_t i = of; i < nr; i++)
		if (all[i].is_renewed && all[i].same == of)
			put(fd, &all[i]);
	sys_call1(__NR_close, fd);
}

void renewed_make(const struct inherited *all, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (!all[i].is_renewed || all[i].same != i)
			continue;
		if (all[i].kind == INHERITED_PIPE)
			make_pipe(all, nr, i);
		else
			make_one(all, nr, i);
	}
	for (uint32_t i = 0; i < nr_watched; i++)
		if (all[watched[i].set].is_renewed)
			sys_call4(__NR_epoll_ctl, all[watched[i].set].fd,
				  EPOLL_CTL_ADD, watched[i].fd,
				  &watched[i].event);
}
