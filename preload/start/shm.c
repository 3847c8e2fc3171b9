/* SPDX-License-Identifier: MIT */
/*
 * shm.c - what a program leaves where others find it by name.
 *
 * The ward has mounted a /dev/shm of its own. Its root directory, which only a
 * descriptor leads to, has two more: SHM_VISIBLE, which is at /dev/shm, and
 * SHM_KEPT, with a second name of each file that was there at main. A file
 * whose name a run removed can so come back, and be the one that a constructor
 * has mapped.
 *
 * System V objects are the namespace's; those that a run made are removed.
 */
#include <linux/stat.h>	/* before the C library's are met */

#include <asm/stat.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/ipc.h>
#include <linux/msg.h>
#include <linux/sem.h>
#include <linux/shm.h>

#include "preload/arch/sys.h"
#include "preload/start/contents.h"
#include "preload/start/shm.h"
#include "preload/core/directory.h"

#define VISIBLE "shm"		/* as explorer/target/shm.h has it */
#define KEPT "keep"
#define MIN_FD 200		/* above what programs expect to get */
#define MAX_KEPT 128u
#define PATH_BYTES 512u
#define MAX_DEPTH 8
#define MAX_IDS 64u

static int64_t root = -1;
static uint64_t carried;

static struct kept {
	char path[PATH_BYTES];	/* below the root */
	uint64_t ino;
	uint32_t mode;
	struct contents contents;
} kept[MAX_KEPT];
static uint32_t nr_kept;

/* ------------------------------------------------------------ /dev/shm */

typedef void visitor(const char *path, const struct stat *s, int depth);

struct walk {
	const char *path;
	visitor *visit;
	int depth;
};

static void visit_name(const char *name, void *data)
{
	const struct walk *w = data;
	char below[PATH_BYTES];
	struct stat s;

	runtime_format(below, sizeof(below), "%s/%s", w->path, name);
	if (sys_call4(__NR_newfstatat, root, below, &s, AT_SYMLINK_NOFOLLOW) >=
	    0)
		w->visit(below, &s, w->depth);
}

/* Each entry of the directory `path`. */
static void walk(const char *path, visitor *visit, int depth)
{
	struct walk w = { path, visit, depth };

	directory_each(sys_call4(__NR_openat, root, path,
				 O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0),
		       visit_name, &w);
}

static void kept_name(char *path, uint32_t i)
{
	runtime_format(path, 32, KEPT "/%lu", (unsigned long)i);
}

static int64_t open_kept(uint32_t i)
{
	char name[32];

	kept_name(name, i);
	return sys_call4(__NR_openat, root, name, O_RDWR | O_CLOEXEC, 0);
}

static void keep(const char *path, const struct stat *s, int depth)
{
	struct kept *k = &kept[nr_kept];
	char name[32];
	int64_t fd;

	if (nr_kept == MAX_KEPT || depth == MAX_DEPTH) {
		carried |= CONTROL_CARRIED_SHM;
		return;
	}
	*k = (struct kept){ .ino = s->st_ino, .mode = s->st_mode };
	memcpy(k->path, path, core_strlen(path) + 1);
	kept_name(name, nr_kept);
	if ((s->st_mode & S_IFMT) == S_IFDIR) {
		nr_kept++;
		walk(path, keep, depth + 1);
		return;
	}
	sys_call5(__NR_linkat, root, path, root, name, 0);
	if ((s->st_mode & S_IFMT) == S_IFREG) {
		fd = open_kept(nr_kept);
		/* Who may not open it cannot change it. */
		if (fd >= 0 && !contents_keep_file(&k->contents, fd))
			carried |= CONTROL_CARRIED_MEMORY;
		sys_call1(__NR_close, fd);
	}
	nr_kept++;
}

static bool is_equal(const char *a, const char *b)
{
	return core_has_prefix(a, b) && core_strlen(a) == core_strlen(b);
}

static void remove_new(const char *path, const struct stat *s, int depth)
{
	bool is_dir = (s->st_mode & S_IFMT) == S_IFDIR;

	if (is_dir && depth < MAX_DEPTH)
		walk(path, remove_new, depth + 1);
	for (uint32_t i = 0; i < nr_kept; i++)
		if (kept[i].ino == s->st_ino && is_equal(kept[i].path, path))
			return;
	sys_call3(__NR_unlinkat, root, path, is_dir ? AT_REMOVEDIR : 0);
}

/* Directories come before what is in them. */
static void put_back(uint32_t i)
{
	struct kept *k = &kept[i];
	struct stat s;
	char name[32];
	int64_t fd;

	kept_name(name, i);
	if ((k->mode & S_IFMT) == S_IFDIR) {
		if (sys_call3(__NR_mkdirat, root, k->path, 0700) >= 0 &&
		    sys_call4(__NR_newfstatat, root, k->path, &s, 0) >= 0)
			k->ino = s.st_ino;
	} else {
		sys_call5(__NR_linkat, root, name, root, k->path, 0);
	}
	if ((k->mode & S_IFMT) != S_IFLNK)
		sys_call3(__NR_fchmodat, root, k->path, k->mode & 07777);
	if (!k->contents.saved)
		return;
	fd = open_kept(i);
	if (fd < 0 || !contents_restore_file(&k->contents, fd))
		carried |= CONTROL_CARRIED_MEMORY;
	sys_call1(__NR_close, fd);
}

/* ------------------------------------------------------------ System V */

/* The three kinds are alike. */
static const struct family {
	int64_t control;
	uint64_t list, stat;	/* commands; list gives the last index */
} families[] = {
	{ __NR_shmctl, IPC_INFO, SHM_STAT },
	{ __NR_semctl, IPC_INFO, SEM_STAT },
	{ __NR_msgctl, IPC_INFO, MSG_STAT },
};
#define NR_FAMILIES (sizeof(families) / sizeof(families[0]))

static int64_t ids[NR_FAMILIES][MAX_IDS];
static uint32_t nr_ids[NR_FAMILIES];
static char answer[1024];	/* of any of the commands */

static int64_t control(uint32_t family, int64_t id, uint64_t command)
{
	const struct family *f = &families[family];

	if (f->control == __NR_semctl)
		return sys_call4(f->control, id, 0, command, answer);
	return sys_call3(f->control, id, command, answer);
}

static void for_each_id(uint32_t family, void (*visit)(uint32_t, int64_t))
{
	int64_t last = control(family, 0, families[family].list);

	for (int64_t i = 0; i <= last; i++) {
		int64_t id = control(family, i, families[family].stat);

		if (id >= 0)
			visit(family, id);
	}
}

static void keep_id(uint32_t family, int64_t id)
{
	if (nr_ids[family] < MAX_IDS)
		ids[family][nr_ids[family]++] = id;
	else
		carried |= CONTROL_CARRIED_OTHERS;
}

static void remove_id(uint32_t family, int64_t id)
{
	for (uint32_t i = 0; i < nr_ids[family]; i++)
		if (ids[family][i] == id)
			return;
	if (nr_ids[family] < MAX_IDS)
		control(family, id, IPC_RMID);
}

static void for_all_ids(void (*visit)(uint32_t, int64_t))
{
	/* Without a namespace, they are everybody's. */
	if (!runtime_control->run_number)
		return;
	for (uint32_t i = 0; i < NR_FAMILIES; i++)
		for_each_id(i, visit);
}

/* ------------------------------------------------------------ the zygote */

void shm_start(void)
{
	int64_t fd = runtime_control->shm_fd;

	if (fd <= 0)
		return;
	root = sys_call3(__NR_fcntl, fd, F_DUPFD_CLOEXEC, MIN_FD);
	if (root < 0) {		/* a low limit on descriptors */
		sys_call3(__NR_fcntl, fd, F_SETFD, FD_CLOEXEC);
		root = fd;
	} else {
		sys_call1(__NR_close, fd);
	}
}

void shm_find(void)
{
	if (runtime_control->shm_fd < 0)
		carried |= CONTROL_CARRIED_SHM;
	if (root >= 0)
		walk(VISIBLE, keep, 0);
	for_all_ids(keep_id);
}

void shm_restore(void)
{
	if (root >= 0)
		walk(VISIBLE, remove_new, 0);
	for (uint32_t i = 0; i < nr_kept; i++)
		put_back(i);
	for_all_ids(remove_id);
}

uint64_t shm_carried(void)
{
	return carried;
}

void shm_start_run(void)
{
	if (root >= 0)
		sys_call1(__NR_close, root);
}
