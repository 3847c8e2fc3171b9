/* SPDX-License-Identifier: MIT */
/*
 * shm.c - a /dev/shm of its own for each ward.
 *
 * The tool reads what is there once, into memory, so all wards of a search
 * begin with the same, whatever others do there meanwhile.
 */
#include "explorer/target/shm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/util.h"

#define SHM_DIR "/dev/shm"
#define MAX_BYTES (16u << 20)
#define MAX_ENTRIES 256u
#define MAX_DEPTH 8

static struct entry {
	char *path;		/* below the directory */
	char *data;		/* of a file, or what a link says */
	struct stat s;
} *entries;
static size_t nr_entries;
static uint64_t nr_bytes;
static enum shm_state state;
static bool has_looked;
static char *options;		/* of the mount */

/* ------------------------------------------------------- what is there */

static bool read_file(int dir, const char *name, struct entry *e)
{
	size_t bytes = (size_t)e->s.st_size;
	ssize_t n;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
					   O_NONBLOCK);

	/* Who may not read it shall not in the copy, either. */
	if (fd < 0) {
		e->s.st_mode &= ~07777u;
		e->s.st_size = 0;
		return true;
	}
	e->data = xcalloc(1, bytes + 1);
	for (size_t at = 0; at < bytes; at += (size_t)n)
		if ((n = pread(fd, e->data + at, bytes - at, (off_t)at)) <= 0)
			break;
	close(fd);
	nr_bytes += bytes;
	return true;
}

static bool read_link(int dir, const char *name, struct entry *e)
{
	e->data = xcalloc(1, PATH_MAX);
	return readlinkat(dir, name, e->data, PATH_MAX - 1) > 0;
}

static bool read_directory(int fd, const char *path, int depth);

/* False: it is too much. Others' sockets and pipes are left out. */
static bool read_entry(int dir, const char *name, const char *path, int depth)
{
	struct entry e = { 0 };
	int fd;

	if (fstatat(dir, name, &e.s, AT_SYMLINK_NOFOLLOW))
		return true;	/* gone */
	if (nr_entries == MAX_ENTRIES ||
	    (S_ISREG(e.s.st_mode) &&
	     (uint64_t)e.s.st_size > MAX_BYTES - nr_bytes))
		return false;
	if (!(S_ISREG(e.s.st_mode) && read_file(dir, name, &e)) &&
	    !(S_ISLNK(e.s.st_mode) && read_link(dir, name, &e)) &&
	    !S_ISDIR(e.s.st_mode))
		return true;
	e.path = xstrdup(path);
	entries[nr_entries++] = e;
	if (!S_ISDIR(e.s.st_mode))
		return true;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 || read_directory(fd, path, depth + 1);
}

/* Closes fd. */
static bool read_directory(int fd, const char *path, int depth)
{
	DIR *d = fdopendir(fd);
	bool is_all = depth < MAX_DEPTH;
	struct dirent *e;

	while (d && is_all && (e = readdir(d))) {
		char *below;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		below = *path ? xasprintf("%s/%s", path, e->d_name) :
				xstrdup(e->d_name);
		is_all = read_entry(dirfd(d), e->d_name, below, depth);
		free(below);
	}
	if (d)
		closedir(d);
	else
		close(fd);
	return is_all;
}

/* With the room that it had. */
static void choose_options(void)
{
	struct statvfs v;

	free(options);
	if (!statvfs(SHM_DIR, &v) && v.f_blocks)
		options = xasprintf("mode=1777,size=%llu",
				    (unsigned long long)v.f_blocks *
					    v.f_frsize);
	else
		options = xstrdup("mode=1777");
}

static bool is_inside(const char *path)
{
	char real[PATH_MAX];

	return path && realpath(path, real) &&
	       !strncmp(real, SHM_DIR "/", strlen(SHM_DIR "/"));
}

static void look(const char *program, const char *cwd)
{
	int fd = open(SHM_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (is_inside(program) || is_inside(cwd)) {
		close(fd);
		state = SHM_IN_USE;
		return;
	}
	entries = xcalloc(MAX_ENTRIES, sizeof(*entries));
	choose_options();
	state = read_directory(fd, "", 0) ? SHM_PRIVATE : SHM_TOO_LARGE;
}

/* Several workers may start at once, of one program. */
enum shm_state shm_look(const char *program, const char *cwd)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	enum shm_state found;

	pthread_mutex_lock(&lock);
	if (!has_looked)
		look(program, cwd ? cwd : ".");
	has_looked = true;
	found = state;
	pthread_mutex_unlock(&lock);
	return found;
}

/* --------------------------------------------------------- in the ward */

static void write_file(int dir, const struct entry *e)
{
	int fd = openat(dir, e->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			0600);
	ssize_t n;

	if (fd < 0)
		return;
	for (off_t at = 0; at < e->s.st_size; at += n)
		if ((n = pwrite(fd, e->data + at, (size_t)(e->s.st_size - at),
				at)) <= 0)
			break;
	fchown(fd, e->s.st_uid, e->s.st_gid);
	fchmod(fd, e->s.st_mode & 07777);
	close(fd);
}

static void write_entries(int dir)
{
	for (size_t i = 0; i < nr_entries; i++) {
		const struct entry *e = &entries[i];

		if (S_ISREG(e->s.st_mode)) {
			write_file(dir, e);
			continue;
		}
		if (S_ISLNK(e->s.st_mode))
			symlinkat(e->data, dir, e->path);
		else
			mkdirat(dir, e->path, 0700);
		fchownat(dir, e->path, e->s.st_uid, e->s.st_gid,
			 AT_SYMLINK_NOFOLLOW);
	}
	/* Last, as some may forbid us to make what is in them. */
	for (size_t i = nr_entries; i-- > 0;)
		if (S_ISDIR(entries[i].s.st_mode))
			fchmodat(dir, entries[i].path,
				 entries[i].s.st_mode & 07777, 0);
}

/* The mount's root stays below: only who has a descriptor of it gets there. */
static int show(int root)
{
	int visible = -1;

	if (mkdirat(root, SHM_KEPT, 0700) ||
	    mkdirat(root, SHM_VISIBLE, 0700) ||
	    fchmodat(root, SHM_VISIBLE, 01777, 0))
		return -1;
	visible = openat(root, SHM_VISIBLE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (visible < 0)
		return -1;
	write_entries(visible);
	close(visible);
	return mount(SHM_DIR "/" SHM_VISIBLE, SHM_DIR, NULL, MS_BIND, NULL);
}

int shm_mount(void)
{
	int root = -1;

	if (state != SHM_PRIVATE ||
	    mount("tmpfs", SHM_DIR, "tmpfs", MS_NOSUID | MS_NODEV, options))
		return -1;
	root = open(SHM_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0 && !show(root))
		return root;
	if (root >= 0)
		close(root);
	umount2(SHM_DIR, MNT_DETACH);
	return -1;
}
