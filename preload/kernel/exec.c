/* SPDX-License-Identifier: MIT */
/*
 * exec.c - a program that replaces itself before it has made a thread.
 *
 * Wrappers do (env, nice, a shell script that ends in `exec`), and programs
 * that start over with other arguments. What such a run would become is told
 * to the tool, which explores that: program, arguments, environment and
 * directory. That is all of it only if nothing else was changed that survives
 * an exec; so descriptors, limits and the umask are compared with those at the
 * start.
 */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "preload/kernel/seccomp.h"
#include "preload/core/directory.h"

#define NR_LIMITS 16
#define MAX_FDS 1024
#define CLOSES_ON_EXEC 1	/* FD_CLOEXEC */

/* What a program inherits; private memory, filled in by the zygote. */
struct heritage {
	uint64_t device[3], inode[3];	/* of the standard descriptors */
	uint64_t limit[NR_LIMITS][2];
	uint64_t open[MAX_FDS / 64];	/* descriptors that stay open */
	uint32_t umask;
	bool has_others;		/* descriptors beyond these */
};

static struct heritage at_start, now;

static void note_fd(struct heritage *h, uint64_t fd)
{
	int64_t flags = sys_call2(__NR_fcntl, fd, 1 /* F_GETFD */);

	if (flags < 0 || flags & CLOSES_ON_EXEC)
		return;
	if (fd < MAX_FDS)
		h->open[fd / 64] |= 1ull << fd % 64;
	else
		h->has_others = true;
}

static void note_name(const char *name, void *data)
{
	uint64_t fd = 0;

	for (; *name >= '0' && *name <= '9'; name++)
		fd = fd * 10 + (uint64_t)(*name - '0');
	note_fd(data, fd);
}

static void note_fds(struct heritage *h)
{
	int64_t dir = sys_call3(__NR_open, "/proc/self/fd",
				O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (dir < 0)
		h->has_others = true;
	directory_each(dir, note_name, h);
}

static void note(struct heritage *h)
{
	uint64_t st[18];	/* struct stat: st_dev, st_ino come first */

	memset(h, 0, sizeof(*h));
	for (int fd = 0; fd < 3; fd++)
		if (!sys_call2(__NR_fstat, fd, st)) {
			h->device[fd] = st[0];
			h->inode[fd] = st[1];
		}
	for (int i = 0; i < NR_LIMITS; i++)
		sys_call4(__NR_prlimit64, 0, i, 0, h->limit[i]);
	h->umask = (uint32_t)sys_call1(__NR_umask, 0);
	sys_call1(__NR_umask, h->umask);
	note_fds(h);
}

void exec_init(void)
{
	note(&at_start);
}

static bool is_unchanged(void)
{
	note(&now);
	return !now.has_others && !memcmp(&now, &at_start, sizeof(now));
}

/* ------------------------------------------------------------- the texts */

/*
 * Add a string of the target's, or of ours. Returns false: no room, or EFAULT.
 */
static bool add_string(struct control_exec *e, uint64_t from)
{
	uint64_t c;

	do {
		if (e->bytes == sizeof(e->text) ||
		    !sys_load8((const void *)(uintptr_t)from++, &c))
			return false;
		e->text[e->bytes++] = (char)c;
	} while (c);
	return true;
}

static bool add_strings(struct control_exec *e, uint64_t list, uint32_t *nr)
{
	uint64_t string;

	for (*nr = 0; list; list += 8, (*nr)++) {
		if (!sys_load64((const void *)(uintptr_t)list, &string))
			return false;
		if (!string)
			return true;
		if (!add_string(e, string))
			return false;
	}
	return true;
}

/* The file that would be executed, by its absolute path; false: none would. */
static bool add_program(struct control_exec *e, const struct trap *t)
{
	bool is_at = t->nr == __NR_execveat;
	uint64_t dirfd = is_at ? t->arg[0] : (uint64_t)AT_FDCWD;
	uint64_t path = t->arg[is_at], c, flags = is_at ? t->arg[4] : 0;
	char name[32], link[CONTROL_EXEC_PATH] = { 0 };
	bool is_empty = flags & AT_EMPTY_PATH &&
			sys_load8((void *)(uintptr_t)path, &c) && !c;
	uint64_t st[18] = { 0 };	/* struct stat: st_mode is in [3] */
	int64_t fd = is_empty ?
		sys_call3(__NR_fcntl, dirfd, 1030 /* F_DUPFD_CLOEXEC */, 3) :
		sys_call4(__NR_openat, dirfd, path, O_PATH | O_CLOEXEC, 0);
	bool is_good;

	if (fd < 0)
		return false;
	runtime_format(name, sizeof(name), "/proc/self/fd/%ld", (long)fd);
	is_good = !sys_call2(__NR_fstat, fd, st) &&
		  ((uint32_t)st[3] & S_IFMT) == S_IFREG &&
		  !sys_call2(__NR_access, name, 1 /* X_OK */) &&
		  sys_call3(__NR_readlink, name, link, sizeof(link) - 1) > 0;
	sys_call1(__NR_close, fd);
	return is_good && add_string(e, (uintptr_t)link);
}

bool exec_can_run(const struct trap *t)
{
	struct control_exec *e = &runtime_control->exec;

	e->is_whole = 0;
	e->bytes = 0;
	return add_program(e, t);
}

bool exec_hand_over(const struct trap *t)
{
	struct control_exec *e = &runtime_control->exec;
	uint64_t first = t->nr == __NR_execveat ? 2 : 1;
	char cwd[CONTROL_EXEC_PATH];

	e->is_whole = 0;
	e->bytes = 0;
	if (runtime_control->scheduler.nr_tasks > 1 || seccomp_is_on ||
	    !is_unchanged())
		return false;
	if (!add_program(e, t) ||
	    sys_call2(__NR_getcwd, cwd, sizeof(cwd)) < 0 ||
	    !add_string(e, (uintptr_t)cwd) ||
	    !add_strings(e, t->arg[first], &e->nr_args) || !e->nr_args ||
	    !add_strings(e, t->arg[first + 1], &e->nr_env))
		return false;
	e->is_whole = 1;
	return true;
}
