/* SPDX-License-Identifier: MIT */
/*
 * virtuals.c - signalfd and timerfd of the model.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/signalfd.h>
#include <linux/time.h>
#include <linux/timerfd.h>

#include "preload/kernel/files.h"
#include "preload/kernel/signals.h"
#include "preload/kernel/timers.h"
#include "preload/kernel/virtuals.h"

#define MAX_DESCRIPTORS 4096u
#define NONBLOCK_FLAG 04000
#define CLOEXEC_FLAG 02000000
#define CODE_SIGIO (-5)		/* SI_SIGIO */
#define MAX_POLL_CODE 6		/* POLL_HUP, and CLD_CONTINUED */

enum kind { FREE = 0, SIGNALS, TIMER };

struct object {
	uint8_t kind;
	bool is_readable;	/* so the kernel was told */
	int32_t timer;
	uint32_t nr_users;	/* descriptors, and tasks that read */
	uint64_t mask;
	uint64_t nr_seen;	/* of its events, when the kernel was told */
};

static struct object objects[MAX_DESCRIPTORS];
static uint32_t nr_objects;	/* those behind were never used */
static struct {
	int32_t fd;
	uint32_t object;
} descriptors[MAX_DESCRIPTORS];
uint32_t virtuals_nr;

/* ---------------------------------------------------------- descriptors */

static struct object *find(uint64_t fd)
{
	for (uint32_t i = 0; i < virtuals_nr; i++)
		if (descriptors[i].fd == (int32_t)fd)
			return &objects[descriptors[i].object];
	return NULL;
}

static void add(int64_t fd, struct object *o)
{
	/* A copy that nobody can know of is one of the eventfd. */
	if (virtuals_nr == MAX_DESCRIPTORS)
		return;
	descriptors[virtuals_nr].fd = (int32_t)fd;
	descriptors[virtuals_nr].object = (uint32_t)(o - objects);
	virtuals_nr++;
	o->nr_users++;
}

static void let_go(struct object *o)
{
	if (--o->nr_users)
		return;
	if (o->kind == TIMER)
		timers_close(o->timer);
	*o = (struct object){ .kind = FREE };
}

void virtuals_forget(uint32_t first, uint32_t last)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < virtuals_nr; i++) {
		uint32_t fd = (uint32_t)descriptors[i].fd;

		if (fd >= first && fd <= last)
			let_go(&objects[descriptors[i].object]);
		else
			descriptors[kept++] = descriptors[i];
	}
	virtuals_nr = kept;
}

void virtuals_copy(int64_t to, uint64_t from)
{
	struct object *o = find(from);

	if (to < 0 || to == (int32_t)from)
		return;
	virtuals_forget((uint32_t)to, (uint32_t)to);
	if (o)
		add(to, o);
}

static struct object *new_object(uint8_t kind)
{
	uint32_t i = 0;

	while (i < nr_objects && objects[i].kind != FREE)
		i++;
	if (i == MAX_DESCRIPTORS || virtuals_nr == MAX_DESCRIPTORS)
		return NULL;
	if (i == nr_objects)
		nr_objects++;
	objects[i] = (struct object){ .kind = kind };
	return &objects[i];
}

/* The descriptor of a new object; the flags are those of eventfd, too. */
static int64_t open_object(struct object *o, uint64_t flags)
{
	int64_t fd = sys_call2(__NR_eventfd2, 0, flags);

	if (fd < 0) {
		o->kind = FREE;
		return fd;
	}
	files_note_inside(fd);
	add(fd, o);
	return fd;
}

/* ------------------------------------------------------------ readiness */

static bool is_readable(const struct object *o, uint32_t task)
{
	return o->kind == TIMER ? timers_ticks(o->timer) != 0
				: signals_has(task, o->mask);
}

/* Each new signal is an edge to epoll; a timer has one until it is read. */
static uint64_t nr_events(const struct object *o)
{
	return o->kind == TIMER ? 0 : signals_nr_posted;
}

static void show(struct object *o, int32_t fd, uint32_t task)
{
	bool is_now = is_readable(o, task);
	uint64_t word = 1;

	if (is_now && (!o->is_readable || o->nr_seen != nr_events(o)))
		sys_call3(__NR_write, fd, &word, sizeof(word));
	else if (!is_now && o->is_readable)
		sys_call3(__NR_read, fd, &word, sizeof(word));
	o->is_readable = is_now;
	o->nr_seen = nr_events(o);
}

void virtuals_show(uint32_t task)
{
	for (uint32_t i = 0; i < virtuals_nr; i++)
		show(&objects[descriptors[i].object], descriptors[i].fd, task);
}

static bool is_ready(const struct files_wait_for *w)
{
	return is_readable(&objects[w->arg[1]], (uint32_t)w->arg[0]);
}

/* -------------------------------------------------------------- reading */

static bool is_of_child(const struct signals_info *info)
{
	return info->signo == SIGCHLD && info->code > 0 &&
	       info->code <= MAX_POLL_CODE;
}

static bool is_of_descriptor(const struct signals_info *info)
{
	return info->code == CODE_SIGIO ||
	       (info->signo == SIGIO && info->code > 0 &&
		info->code <= MAX_POLL_CODE);
}

/* As the kernel does: which fields there are depends on where it is from. */
static struct signalfd_siginfo describe(const struct signals_info *info)
{
	struct signalfd_siginfo out = {
		.ssi_signo = (uint32_t)info->signo,
		.ssi_errno = info->error,
		.ssi_code = info->code,
	};
	const uint64_t *rest = (const void *)info->rest;

	if (is_of_descriptor(info)) {
		memcpy(&out.ssi_band, &info->pid, 4);
		out.ssi_fd = (int32_t)info->value;
		return out;
	}
	if (info->code == SIGNALS_CODE_TIMER) {
		out.ssi_tid = (uint32_t)info->pid;
		out.ssi_overrun = (uint32_t)info->uid;
	} else {
		out.ssi_pid = (uint32_t)info->pid;
		out.ssi_uid = (uint32_t)info->uid;
	}
	if (is_of_child(info)) {
		out.ssi_status = (int32_t)info->value;
		out.ssi_utime = rest[0];
		out.ssi_stime = rest[1];
	} else if (info->code < 0) {
		out.ssi_ptr = info->value;
		out.ssi_int = (int32_t)info->value;
	}
	return out;
}

static int64_t read_signals(const struct object *o, uint64_t to, uint64_t bytes)
{
	struct signalfd_siginfo out;
	struct signals_info info;
	int64_t done = 0;

	for (; bytes >= sizeof(out); bytes -= sizeof(out)) {
		if (!signals_take(o->mask, &info))
			break;
		out = describe(&info);
		if (!sys_copy_out(to + (uint64_t)done, &out, sizeof(out)))
			return done ? done : -EFAULT;
		done += sizeof(out);
	}
	return done ? done : -EAGAIN;
}

static int64_t read_timer(const struct object *o, uint64_t to)
{
	uint64_t ticks = timers_take_ticks(o->timer);

	if (!ticks)
		return -EAGAIN;
	return sys_copy_out(to, &ticks, sizeof(ticks)) ?
		       (int64_t)sizeof(ticks) : -EFAULT;
}

static int64_t attempt(const struct object *o, const uint64_t piece[2])
{
	return o->kind == TIMER ? read_timer(o, piece[0])
				: read_signals(o, piece[0], piece[1]);
}

/* Where to, and how much; of several pieces the first. */
static int64_t destination(const struct trap *t, uint64_t piece[2])
{
	piece[0] = t->arg[1];
	piece[1] = t->arg[2];
	if (t->nr != __NR_readv)
		return 0;
	for (uint64_t i = 0; i < t->arg[2]; i++) {
		if (!sys_copy_in(piece, t->arg[1] + 16 * i, 16))
			return -EFAULT;
		if (piece[1])
			return 0;
	}
	return -EINVAL;
}

static int64_t read_object(struct trap *t, struct object *o)
{
	uint64_t fd = t->arg[0], piece[2];
	uint64_t least = o->kind == TIMER ? sizeof(uint64_t)
					  : sizeof(struct signalfd_siginfo);
	struct files_wait_for w = {
		.kind = WAIT_QUERY,
		.is_ready = is_ready,
		.arg = { runtime_self(), (uint64_t)(o - objects) },
	};
	int64_t r = destination(t, piece);
	struct runtime_op op = { .kind = EXPLORE_OP_SYSCALL, .pc = t->site };

	if (r || piece[1] < least)
		return r ? r : -EINVAL;
	op.object = files_object(t, fd);
	if (sys_call3(__NR_fcntl, fd, F_GETFL, 0) & NONBLOCK_FLAG) {
		core_point(&op);
		return find(fd) == o ? attempt(o, piece) : -EBADF;
	}
	do {
		r = files_wait(t, &w, EXPLORE_OP_SYSCALL, op.object,
			       o->kind == SIGNALS && process_has_live_child(),
			       0);
		if (r >= 0)
			r = attempt(o, piece);
	} while (r == -EAGAIN);
	return r;
}

bool virtuals_answer(struct trap *t, const struct trap_entry *e, int64_t *r)
{
	struct object *o;

	virtuals_show(runtime_self());
	o = e->fd_arg == 1 ? find(t->arg[0]) : NULL;
	if (!o)
		return false;
	switch (t->nr) {
	case __NR_read:
	case __NR_readv:
		o->nr_users++;	/* somebody may close it meanwhile */
		*r = read_object(t, o);
		let_go(o);
		return true;
	case __NR_write:
	case __NR_writev:
		*r = -EINVAL;
		return true;
	default:
		return false;
	}
}

/* --------------------------------------------------------------- making */

int64_t virtuals_signalfd(struct trap *t)
{
	uint64_t flags = t->nr == __NR_signalfd4 ? t->arg[3] : 0, mask;
	struct object *o;

	if (t->arg[2] != sizeof(mask) ||
	    flags & ~(uint64_t)(NONBLOCK_FLAG | CLOEXEC_FLAG))
		return -EINVAL;
	if (!sys_load64((const uint64_t *)(uintptr_t)t->arg[1], &mask))
		return -EFAULT;
	o = (int32_t)t->arg[0] == -1 ? new_object(SIGNALS) : find(t->arg[0]);
	if (!o)		/* none of ours: the kernel knows what is wrong */
		return (int32_t)t->arg[0] == -1 ? -ENFILE : trap_pass(t);
	if (o->kind != SIGNALS)
		return -EINVAL;
	o->mask = mask & ~UNBLOCKABLE;
	return (int32_t)t->arg[0] == -1 ? open_object(o, flags)
					: (int32_t)t->arg[0];
}

static bool has_descriptor(uint64_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		return true;
	default:
		return false;
	}
}

int64_t virtuals_timerfd(struct trap *t)
{
	uint64_t clock = (uint32_t)t->arg[0], flags = (uint32_t)t->arg[1];
	struct object *o;
	int timer;
	int64_t fd;

	if (!has_descriptor(clock) ||
	    flags & ~(uint64_t)(NONBLOCK_FLAG | CLOEXEC_FLAG))
		return -EINVAL;
	timer = timers_open((int)clock);
	o = timer < 0 ? NULL : new_object(TIMER);
	if (!o) {
		if (timer >= 0)
			timers_close(timer);
		return -ENFILE;
	}
	o->timer = timer;
	fd = open_object(o, flags);
	if (fd < 0)
		timers_close(timer);
	return fd;
}

int64_t virtuals_settime(struct trap *t)
{
	const struct object *o = find(t->arg[0]);

	if (!o)
		return trap_pass(t);
	return o->kind == TIMER ? timers_set(o->timer, t) : -EINVAL;
}

int64_t virtuals_gettime(struct trap *t)
{
	const struct object *o = find(t->arg[0]);

	if (!o)
		return trap_pass(t);
	return o->kind == TIMER ? timers_get(o->timer, t) : -EINVAL;
}

/* ------------------------------------------------------------- children */

static int64_t make_real(const struct object *o, int64_t flags)
{
	uint64_t time[4];
	int64_t fd;

	if (o->kind == SIGNALS)
		return sys_call4(__NR_signalfd4, -1, &o->mask, sizeof(o->mask),
				 flags);
	fd = sys_call2(__NR_timerfd_create, CLOCK_MONOTONIC, flags);
	timers_describe(o->timer, time);
	if (fd >= 0)
		sys_call4(__NR_timerfd_settime, fd, 0, time, 0);
	return fd;
}

static void replace(struct object *o)
{
	int64_t real = -1;

	for (uint32_t i = 0; i < virtuals_nr; i++) {
		int32_t fd = descriptors[i].fd;
		int64_t flags = sys_call3(__NR_fcntl, fd, F_GETFD, 0);

		if (&objects[descriptors[i].object] != o)
			continue;
		if (real < 0)
			real = make_real(o, sys_call3(__NR_fcntl, fd, F_GETFL,
						      0) & NONBLOCK_FLAG);
		if (real >= 0)
			sys_call3(__NR_dup3, real, fd,
				  flags & FD_CLOEXEC ? CLOEXEC_FLAG : 0);
	}
	if (real >= 0)
		sys_call1(__NR_close, real);
}

void virtuals_go_native(void)
{
	for (uint32_t i = 0; virtuals_nr && i < nr_objects; i++)
		if (objects[i].kind != FREE)
			replace(&objects[i]);
}
