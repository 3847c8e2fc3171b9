/* SPDX-License-Identifier: MIT */
/*
 * inherited.c - descriptors that were there before main.
 *
 * What is behind a file's descriptor is put back where it is, by the zygote,
 * before each run: position, flags, locks, and the contents of files without a
 * name (memfd, O_TMPFILE, unlinked). What lives by who has it open (a pipe
 * ends when its writers close it) is made anew by each run, see renewed.c. All
 * that is left is told to the tool, so that it can say so.
 *
 * Context: a single-threaded process, uncontrolled; system calls of our own
 * only.
 */
#include <asm/stat.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/kcmp.h>
#include <linux/stat.h>
#include <linux/wait.h>

#include "preload/arch/sys.h"
#include "preload/kernel/ids.h"
#include "preload/start/contents.h"
#include "preload/start/inherited.h"
#include "preload/start/renewed.h"
#include "preload/core/directory.h"

#define MAX_OUTSIDE 1024u	/* numbers from here on count as made inside */
#define MAX_LOCKS 32u
#define LOCK_UNLOCK 8		/* flock()'s; no kernel header has them */
#define LOCK_SHARE 1
#define LOCK_EXCLUDE 2
#define LOCK_NO_WAIT 4
#define SETTABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC)

static uint64_t outside[MAX_OUTSIDE / 64];
static struct inherited all[INHERITED_MAX];
static uint32_t nr_all;
static uint64_t carried;
static uint64_t output_ino;	/* what runs print is the tool's business */

/* A lock on a file: flock's, of a description, or of the process. */
static struct lock {
	uint32_t of;		/* in all[] */
	char kind;		/* 'F', 'O' or 'P', as the kernel calls it */
	struct flock64 area;
} lock[MAX_LOCKS];
static uint32_t nr_locks;

/* ---------------------------------------------------------- all of them */

struct each {
	void (*look)(int64_t fd);
	int64_t dir;		/* our own */
};

static void look_at_name(const char *name, void *data)
{
	const struct each *each = data;
	uint64_t fd;

	fdinfo_number(name, 10, &fd);
	if ((int64_t)fd != each->dir)
		each->look((int64_t)fd);
}

static void for_each_fd(void (*look)(int64_t fd))
{
	struct each each = {
		.look = look,
		.dir = sys_call3(__NR_open, "/proc/self/fd",
				 O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0),
	};

	directory_each(each.dir, look_at_name, &each);
}

static bool is_outside(int64_t fd)
{
	return fd < (int64_t)MAX_OUTSIDE &&
	       outside[fd / 64] >> (fd % 64) & 1;
}

static void note_one(int64_t fd)
{
	if (fd < (int64_t)MAX_OUTSIDE)
		outside[fd / 64] |= 1ull << (fd % 64);
}

void inherited_note_outside(void)
{
	struct stat s;

	for_each_fd(note_one);
	if (sys_call2(__NR_fstat, 1, &s) >= 0)
		output_ino = s.st_ino;
}

/* ---------------------------------------------------------------- locks */

static const char *skip_word(const char *at)
{
	while (*at && *at != ' ' && *at != '\n')
		at++;
	while (*at == ' ')
		at++;
	return at;
}

/* "1: POSIX  ADVISORY  WRITE 123 00:2a:17 0 EOF" */
static void take_lock(uint32_t of, const char *at)
{
	struct lock *l = &lock[nr_locks];
	uint64_t start, end;

	if (nr_locks == MAX_LOCKS) {
		carried |= CONTROL_CARRIED_OTHERS;
		return;
	}
	while (*at && (*at < 'A' || *at > 'Z'))
		at++;
	l->of = of;
	l->kind = *at;
	at = skip_word(skip_word(at));
	l->area = (struct flock64){ .l_type = *at == 'W' ? F_WRLCK : F_RDLCK };
	at = fdinfo_number(skip_word(skip_word(skip_word(at))), 10, &start);
	l->area.l_start = (int64_t)start;
	if (*++at != 'E') {	/* not up to EOF */
		fdinfo_number(at, 10, &end);
		l->area.l_len = (int64_t)(end - start + 1);
	}
	nr_locks++;
}

static void find_locks(uint32_t of)
{
	const char *at = fdinfo_read(all[of].fd);

	while ((at = fdinfo_find(at, "lock:")))
		take_lock(of, at);
}

static const struct flock64 whole = { .l_type = F_UNLCK };

static void set_lock(const struct lock *l)
{
	int64_t fd = all[l->of].fd;

	if (l->kind == 'F')
		sys_call2(__NR_flock, fd,
			  LOCK_NO_WAIT | (l->area.l_type == F_WRLCK ?
						  LOCK_EXCLUDE : LOCK_SHARE));
	else
		sys_call3(__NR_fcntl, fd,
			  l->kind == 'O' ? F_OFD_SETLK : F_SETLK, &l->area);
}

static void restore_locks(void)
{
	for (uint32_t i = 0; i < nr_all; i++)
		if (all[i].kind == INHERITED_FILE && !all[i].is_outside) {
			sys_call2(__NR_flock, all[i].fd, LOCK_UNLOCK);
			sys_call3(__NR_fcntl, all[i].fd, F_OFD_SETLK, &whole);
		}
	for (uint32_t i = 0; i < nr_locks; i++)
		if (lock[i].kind != 'P')
			set_lock(&lock[i]);
}

/* A process's locks are no child's, so the zygote's would be in a run's way. */
static void give_up_own_locks(void)
{
	for (uint32_t i = 0; i < nr_locks; i++)
		if (lock[i].kind == 'P')
			sys_call3(__NR_fcntl, all[lock[i].of].fd, F_SETLK,
				  &whole);
}

/* ------------------------------------------------------------ what it is */

static const struct {
	const char *name;	/* how its link in /proc begins */
	enum inherited_kind kind;
} names[] = {
	{ "pipe:", INHERITED_PIPE },
	{ "anon_inode:[eventfd]", INHERITED_EVENT },
	{ "anon_inode:[timerfd]", INHERITED_TIMER },
	{ "anon_inode:[eventpoll]", INHERITED_POLL },
	{ "anon_inode:[pidfd]", INHERITED_WORLD },
};

static enum inherited_kind kind_of(int64_t fd, uint32_t mode)
{
	char path[48], name[64];
	int64_t n;

	if ((mode & S_IFMT) == S_IFREG || (mode & S_IFMT) == S_IFDIR)
		return INHERITED_FILE;
	if ((mode & S_IFMT) == S_IFCHR || (mode & S_IFMT) == S_IFBLK)
		return INHERITED_WORLD;
	runtime_format(path, sizeof(path), "/proc/self/fd/%ld", (long)fd);
	n = sys_call3(__NR_readlink, path, name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = '\0';
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (core_has_prefix(name, names[i].name))
			return names[i].kind;
	/* A named pipe has a name. */
	return name[0] == '/' && (mode & S_IFMT) == S_IFIFO ? INHERITED_WORLD
							    : INHERITED_OTHER;
}

static void find_contents(struct inherited *n, const struct stat *s)
{
	bool is_nameless = (s->st_mode & S_IFMT) == S_IFREG && !s->st_nlink;

	if (!is_nameless || s->st_ino == output_ino ||
	    (n->flags & O_ACCMODE) != O_RDWR)
		return;
	n->seals = sys_call2(__NR_fcntl, n->fd, F_GET_SEALS);
	if (inherited_keeps_file(s->st_dev, s->st_ino))
		return;
	if (!contents_keep_file(&n->contents, n->fd))
		carried |= CONTROL_CARRIED_MEMORY;
}

bool inherited_keeps_file(uint64_t dev, uint64_t ino)
{
	for (uint32_t i = 0; i < nr_all; i++)
		if (all[i].kind == INHERITED_FILE &&
		    all[i].contents.saved && all[i].dev == dev &&
		    all[i].ino == ino)
			return true;
	return false;
}

static void find_one(int64_t fd)
{
	struct inherited *n = &all[nr_all];
	struct stat s;

	if (nr_all == INHERITED_MAX) {
		carried |= CONTROL_CARRIED_OTHERS;
		return;
	}
	if (sys_call2(__NR_fstat, fd, &s) < 0)
		return;
	*n = (struct inherited){
		.fd = (int32_t)fd,
		.kind = kind_of(fd, s.st_mode),
		.is_outside = is_outside(fd),
		.flags = (uint64_t)sys_call2(__NR_fcntl, fd, F_GETFL),
		.is_cloexec = sys_call2(__NR_fcntl, fd, F_GETFD) & FD_CLOEXEC,
		.dev = s.st_dev,
		.ino = s.st_ino,
		.same = nr_all,
		.position = -1,
		.seals = -1,
	};
	if (n->flags & O_PATH)
		return;
	if (n->kind == INHERITED_FILE) {
		n->position = sys_call3(__NR_lseek, fd, 0, SEEK_CUR);
		find_contents(n, &s);
		find_locks(nr_all);
	}
	nr_all++;
}

/* ----------------------------------------------- what is made by each run */

/* They have the other ends of pipes, maybe. */
static bool has_children(void)
{
	return sys_call5(__NR_waitid, P_ALL, 0, 0,
			 WEXITED | WNOHANG | WNOWAIT, 0) != -ECHILD ||
	       ids_has_orphan();
}

/* False: the kernel does not say. */
static bool find_same(uint32_t of)
{
	int64_t self = sys_call0(__NR_getpid), r;

	for (uint32_t i = 0; i < of; i++) {
		if (all[i].kind != all[of].kind || all[i].same != i)
			continue;
		r = sys_call5(__NR_kcmp, self, self, KCMP_FILE, all[i].fd,
			      all[of].fd);
		if (r < 0)
			return false;
		if (!r) {
			all[of].same = i;
			break;
		}
	}
	return true;
}

static void find_renewable(void)
{
	bool is_shared = has_children();

	for (uint32_t i = 0; i < nr_all; i++) {
		struct inherited *n = &all[i];

		if (n->kind < INHERITED_OTHER || n->is_outside)
			continue;
		if (n->kind == INHERITED_OTHER)
			carried |= CONTROL_CARRIED_OTHERS;
		else if (is_shared)
			carried |= CONTROL_CARRIED_CHILDREN;
		else if (!find_same(i) || !renewed_find(all, i))
			carried |= CONTROL_CARRIED_OTHERS;
		else
			n->is_renewed = true;
	}
}

/* ------------------------------------------------------------ the zygote */

void inherited_find(void)
{
	for_each_fd(find_one);
	find_renewable();
	give_up_own_locks();
}

static void restore_contents(const struct inherited *n)
{
	if (n->seals >= 0 &&
	    sys_call2(__NR_fcntl, n->fd, F_GET_SEALS) != n->seals)
		carried |= CONTROL_CARRIED_SEALS;
	if (!contents_restore_file(&n->contents, n->fd))
		carried |= CONTROL_CARRIED_MEMORY;
}

void inherited_restore(void)
{
	for (uint32_t i = 0; i < nr_all; i++) {
		const struct inherited *n = &all[i];
		int64_t flags = sys_call2(__NR_fcntl, n->fd, F_GETFL);

		if ((n->flags ^ (uint64_t)flags) & SETTABLE)
			sys_call3(__NR_fcntl, n->fd, F_SETFL, n->flags);
		if (n->position >= 0)
			sys_call3(__NR_lseek, n->fd, n->position, SEEK_SET);
		if (n->kind == INHERITED_FILE && n->contents.saved)
			restore_contents(n);
	}
	restore_locks();
}

uint64_t inherited_carried(void)
{
	return carried;
}

/* --------------------------------------------------------------- the run */

void inherited_renew(void)
{
	for (uint32_t i = 0; i < nr_locks; i++)
		if (lock[i].kind == 'P')
			set_lock(&lock[i]);
	renewed_make(all, nr_all);
}
