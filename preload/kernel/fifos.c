/* SPDX-License-Identifier: MIT */
/*
 * fifos.c - open(2) of named pipes, which waits for the other side.
 *
 * A reader's open is made non-blocking, which already lets writers go on, and
 * then waits for a writer; a writer's is tried until there is a reader. What a
 * pipe is made of is the kernel's: other processes may be the other side.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/stat.h>

#include "preload/memory/access.h"
#include "preload/kernel/files.h"
#include "preload/kernel/syscall_numbers.h"

#define MAX_OWN 64
#define SPLICE_NONBLOCK 2

/* The kernel's struct stat, as far as st_mode. */
struct stat_head {
	uint64_t dev, ino, nlink;
	uint32_t mode;
	uint8_t rest[256];
};

/* Named pipes that were made here: nobody else waits for them. */
static struct {
	uint64_t dev, ino;
	uint32_t id;		/* of files_note_inside(); 0: not yet open */
} own[MAX_OWN];
static uint32_t nr_own;

static bool stat_at(int64_t folder, uint64_t path, uint32_t flags,
		    struct stat_head *st)
{
	return sys_call4(__NR_newfstatat, folder, path, st, flags) >= 0;
}

/* Its place among them, from 1; 0: it was found. */
static uint32_t own_number(const struct stat_head *st)
{
	for (uint32_t i = 0; i < nr_own; i++)
		if (own[i].dev == st->dev && own[i].ino == st->ino)
			return i + 1;
	return 0;
}

void fifos_note(int64_t fd)
{
	struct stat_head st;

	if (sys_call2(__NR_fstat, fd, &st) < 0)
		return;
	for (uint32_t i = 0; i < nr_own; i++) {
		if (own[i].dev != st.dev || own[i].ino != st.ino)
			continue;
		if (own[i].id) {
			files_note_inside_as(fd, own[i].id);
		} else {
			files_note_inside(fd);
			own[i].id = files_inside_id((uint64_t)fd);
		}
	}
}

int64_t fifos_mknod(struct trap *t)
{
	bool has_folder = t->nr == __NR_mknodat;
	struct stat_head st;
	int64_t r = trap_pass(t);

	if (r >= 0 && (t->arg[has_folder ? 2 : 1] & S_IFMT) == S_IFIFO &&
	    nr_own < MAX_OWN &&
	    stat_at(has_folder ? (int32_t)t->arg[0] : AT_FDCWD,
		    t->arg[has_folder], AT_SYMLINK_NOFOLLOW, &st)) {
		own[nr_own].dev = st.dev;
		own[nr_own++].ino = st.ino;
	}
	return r;
}

/* open, creat and openat2 as openat; `how` is the memory for openat2's. */
static bool as_openat(const struct trap *t, struct trap *n, uint64_t how[3])
{
	*n = *t;
	switch (t->nr) {
	case __NR_open:
	case __NR_creat:
		n->nr = __NR_openat;
		n->arg[0] = (uint64_t)AT_FDCWD;
		n->arg[1] = t->arg[0];
		n->arg[2] = t->nr == __NR_open ? t->arg[1]
					       : O_CREAT | O_WRONLY | O_TRUNC;
		n->arg[3] = t->nr == __NR_open ? t->arg[2] : t->arg[1];
		return true;
	case __NR_openat:
		return true;
	default:
		for (int i = 0; i < 3; i++)
			if (!sys_load64((const uint64_t *)(uintptr_t)t->arg[2] +
					i, &how[i]))
				return false;
		return t->arg[3] >= 3 * sizeof(how[0]);
	}
}

static uint64_t open_flags(const struct trap *n, const uint64_t how[3])
{
	return n->nr == __NR_openat ? n->arg[2] : how[0];
}

static bool may_block(uint64_t flags)
{
	return !(flags & (O_NONBLOCK | O_PATH | O_DIRECTORY)) &&
	       (flags & O_ACCMODE) != O_RDWR &&
	       (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
}

/*
 * With a writer, an empty pipe would block its reader; without one it ends.
 * tee(2) says which, and takes nothing out of it.
 */
static bool has_writer(int32_t fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int32_t pair[2];
	int64_t r;

	if (sys_call3(__NR_poll, &p, 1, 0))
		return true;
	if (sys_call2(__NR_pipe2, pair, O_CLOEXEC) < 0)
		return false;
	r = sys_call4(__NR_tee, fd, pair[1], 1, SPLICE_NONBLOCK);
	sys_call1(__NR_close, pair[0]);
	sys_call1(__NR_close, pair[1]);
	return r != 0;
}

static bool writer_has_come(const struct files_wait_for *w)
{
	return has_writer(w->fd);
}

static int64_t open_nowait(const struct trap *t)
{
	int64_t r = sys_call4(t->nr, t->arg[0], t->arg[1], t->arg[2],
			      t->arg[3]);

	return r == -ENXIO ? -EAGAIN : r;
}

/* It was opened non-blocking, which nobody asked for. */
static void make_blocking(int64_t fd)
{
	int64_t flags = sys_call3(__NR_fcntl, fd, F_GETFL, 0);

	sys_call3(__NR_fcntl, fd, F_SETFL, flags & ~(int64_t)O_NONBLOCK);
	files_changes++;
}

static int64_t open_reader(struct trap *t, uint32_t object, bool is_external)
{
	struct files_wait_for w = { .kind = WAIT_QUERY,
				    .is_ready = writer_has_come };
	int64_t fd = files_in_order(t, t->arg[0]), r;

	if (fd < 0)
		return fd;
	make_blocking(fd);
	w.fd = (int32_t)fd;
	if (has_writer(w.fd))
		return fd;
	r = files_wait(t, &w, EXPLORE_OP_SYSCALL, object, is_external, 0);
	if (r < 0)
		sys_call1(__NR_close, fd);
	return r < 0 ? r : fd;
}

static int64_t open_writer(struct trap *t, uint32_t object, bool is_external)
{
	int64_t fd = files_retry(t, open_nowait, false, object, is_external, 0);

	if (fd >= 0)
		make_blocking(fd);
	return fd;
}

bool fifos_open(struct trap *t, int64_t *result, bool *is_inside)
{
	struct stat_head st;
	uint64_t how[3], flags;
	bool is_external;
	uint32_t object;
	struct trap n;

	*is_inside = false;
	if (!as_openat(t, &n, how))
		return false;
	flags = open_flags(&n, how);
	if (!(flags & O_PATH) &&
	    stat_at((int32_t)n.arg[0], n.arg[1],
		    flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0, &st) &&
	    (st.mode & S_IFMT) == S_IFIFO)
		*is_inside = own_number(&st) != 0;
	else
		return false;
	if (!may_block(flags))
		return false;
	is_external = !*is_inside || runtime_control->counters.forks;
	object = runtime_object(SCHED_CLASS_FD, (void *)(uintptr_t)
				SCHED_FD_ADDRESS(SCHED_FD_NAMED_PIPE,
						 own_number(&st)),
				t->site);
	if (n.nr == __NR_openat) {
		n.arg[2] |= O_NONBLOCK;
	} else {
		how[0] |= O_NONBLOCK;
		n.arg[2] = SYS_ARG(how);
		n.arg[3] = sizeof(how);
	}
	*result = (flags & O_ACCMODE) == O_RDONLY
			  ? open_reader(&n, object, is_external)
			  : open_writer(&n, object, is_external);
	return true;
}
