/* SPDX-License-Identifier: MIT */
/*
 * inputs.c - what devices, named pipes and the kernel's own files give:
 * recorded, and given again.
 *
 * Regular files, pipes and sockets of the process itself are read anew in a
 * replay, which finds the same there. What a device says (/dev/urandom, a
 * terminal) or another process writes into a named pipe is not, nor what the
 * kernel makes up when it is asked (/proc/self/maps, /sys: numbers of files,
 * sizes, times); so it goes to the input log, and a replay answers from the
 * recorded one. Addresses in it are good there: without address randomisation
 * the mappings are the same.
 *
 * The log is a sequence of struct record, each followed by its data, padded to
 * eight bytes. docs/TRACE_FORMAT.md describes it.
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/uio.h>

#include "preload/kernel/files.h"

struct record {
	uint32_t nr;		/* of the system call */
	uint32_t task;
	int64_t result;		/* bytes of data, or -errno */
};
static_assert(sizeof(struct record) == 16, "trace format");

static uint64_t next_recorded;	/* in script_input[] */

void inputs_start_run(void)
{
	next_recorded = 0;
}

/* The kernel's struct stat, as far as st_mode. */
struct stat_head {
	uint64_t dev, ino, nlink;
	uint32_t mode;
	uint8_t rest[256];
};

/* The kernel's struct statfs, as far as f_type. */
struct statfs_head {
	uint64_t type;
	uint8_t rest[256];
};

/* The kernel makes the contents up when they are read. */
static bool is_made_up(int fd)
{
	static const uint32_t made_up[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,
		SECURITYFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
	};
	struct statfs_head fs;

	if (sys_call2(__NR_fstatfs, fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < sizeof(made_up) / sizeof(made_up[0]); i++)
		if (fs.type == made_up[i])
			return true;
	return false;
}

uint32_t inputs_type_of(int fd)
{
	struct stat_head st;
	uint32_t type;

	if (sys_call2(__NR_fstat, fd, &st) < 0)
		return FILES_NO_TYPE;
	type = st.mode >> 12 & 15;
	if ((type == FILES_TYPE_REGULAR || type == FILES_TYPE_FOLDER) &&
	    is_made_up(fd))
		type |= FILES_TYPE_MADE_UP;
	return type;
}

bool inputs_is_outside(int fd)
{
	uint32_t type = files_type_of((uint64_t)fd);

	return type == FILES_TYPE_DEVICE || type == FILES_TYPE_FIFO;
}

bool inputs_is_file(int fd)
{
	uint32_t type = files_type_of((uint64_t)fd) & ~FILES_TYPE_MADE_UP;

	return type == FILES_TYPE_REGULAR || type == FILES_TYPE_FOLDER;
}

/* A regular file of the kernel's, or a folder of them. */
static bool is_of_kernel(uint64_t fd)
{
	uint32_t type = files_type_of(fd);

	return type == (FILES_TYPE_REGULAR | FILES_TYPE_MADE_UP) ||
	       type == (FILES_TYPE_FOLDER | FILES_TYPE_MADE_UP);
}

static bool is_replay(void)
{
	return runtime_control->config.flags & CONTROL_F_REPLAY;
}

/* Answer from the recorded run. Returns false when it says nothing here. */
static bool take(const struct trap *t, int64_t *result)
{
	struct control *c = runtime_control;
	const struct record *r =
		(const void *)(c->script_input + next_recorded);
	uint64_t left = c->config.script_input_bytes - next_recorded, bytes;

	if (left < sizeof(*r) || r->nr != (uint32_t)t->nr ||
	    r->task != runtime_self())
		return false;
	bytes = r->result > 0 ? (uint64_t)r->result : 0;
	if (bytes > left - sizeof(*r) || bytes > t->arg[2])
		return false;
	if (!sys_copy_out(t->arg[1], r + 1, bytes))
		return false;
	next_recorded += sizeof(*r) + CORE_ALIGN_UP(bytes, 8);
	*result = r->result;
	return true;
}

static void record(const struct trap *t, int64_t result)
{
	struct control *c = runtime_control;
	uint64_t bytes = result > 0 ? (uint64_t)result : 0;
	struct record *r = (void *)(c->input + c->input_bytes);

	if (sizeof(*r) + bytes + 8 > CONTROL_INPUT_BYTES - c->input_bytes) {
		c->counters.inputs_lost++;
		return;
	}
	*r = (struct record){ (uint32_t)t->nr, runtime_self(), result };
	memcpy(r + 1, (void *)(uintptr_t)t->arg[1], bytes);
	c->input_bytes += sizeof(*r) + CORE_ALIGN_UP(bytes, 8);
}

int64_t inputs_read(struct trap *t)
{
	int64_t result;

	if (!is_replay() || !take(t, &result))
		result = trap_pass(t);
	else if (t->nr == __NR_read && result > 0 && is_of_kernel(t->arg[0]))
		sys_call3(__NR_lseek, t->arg[0], result, SEEK_CUR);
	record(t, result);
	return result;
}

/* ------------------------------------------------- several pieces at once */

/*
 * A part of a call on a vector: at the file's own position, which is `at` -1,
 * or at another.
 */
static int64_t read_part(const struct trap *t, const uint64_t piece[2],
			 int64_t at)
{
	struct trap part = *t;

	part.nr = at < 0 ? __NR_read : __NR_pread64;
	part.arg[1] = piece[0];
	part.arg[2] = piece[1];
	part.arg[3] = (uint64_t)at;
	return inputs_read(&part);
}

/* The kernel fills a vector's pieces one by one, up to the first short one. */
static int64_t read_vector(struct trap *t, int64_t at)
{
	uint64_t nr = t->arg[2], piece[2];
	int64_t done = 0, r;

	if (nr > UIO_MAXIOV)
		return -EINVAL;
	for (uint64_t i = 0; i < nr; i++) {
		if (!sys_copy_in(piece, t->arg[1] + i * sizeof(piece),
				 sizeof(piece)))
			return done ? done : -EFAULT;
		if (!piece[1])
			continue;
		r = read_part(t, piece, at < 0 ? at : at + done);
		if (r < 0)
			return done ? done : r;
		done += r;
		if ((uint64_t)r < piece[1])
			break;
	}
	return done;
}

/*
 * How many parts a text comes in depends on its length, which depends on
 * numbers of files and on what explore did to the process before: in another
 * worker it is another one. So all of it is one operation, that of its
 * beginning.
 */
bool inputs_goes_on(const struct trap *t)
{
	if (!is_of_kernel(t->arg[0]))
		return false;
	switch (t->nr) {
	case __NR_read:
	case __NR_readv:
		return sys_call3(__NR_lseek, t->arg[0], 0, SEEK_CUR) > 0;
	case __NR_pread64:
	case __NR_preadv:
	case __NR_preadv2:
		return (int64_t)t->arg[3] > 0;
	default:
		return false;
	}
}

bool inputs_answer(struct trap *t, int64_t *r)
{
	if (!is_of_kernel(t->arg[0]))
		return false;
	switch (t->nr) {
	case __NR_read:
	case __NR_getdents:
	case __NR_getdents64:
		*r = inputs_read(t);
		return true;
	case __NR_pread64:
		*r = (int64_t)t->arg[3] < 0 ? -EINVAL : inputs_read(t);
		return true;
	case __NR_readv:
		*r = read_vector(t, -1);
		return true;
	case __NR_preadv:
		*r = (int64_t)t->arg[3] < 0 ? -EINVAL :
		     read_vector(t, (int64_t)t->arg[3]);
		return true;
	case __NR_preadv2:
		*r = (int64_t)t->arg[3] < -1 ? -EINVAL :
		     read_vector(t, (int64_t)t->arg[3]);
		return true;
	default:
		return false;
	}
}

/* A directory: the order of entries is not one of operations. */
int64_t inputs_list(struct trap *t)
{
	int64_t r;

	return inputs_answer(t, &r) ? r : trap_pass(t);
}
