/* SPDX-License-Identifier: MIT */
/*
 * trace_writer.c - a trace to its directory: whole or not at all.
 *
 * Everything is made in a hidden directory beside the final one, synced, and
 * renamed with RENAME_NOREPLACE, so a reader never sees half a trace, and an
 * interrupted writer leaves at most a `.tmp-` directory, which nobody reads. It
 * is locked while its writer lives; trace_clean() removes the others.
 */
#include "recorder/internal.h"
#include "recorder/bytes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* More failures than this in one directory: something else is wrong. */
#define MAX_NUMBER 1000000u
#define MAX_NAME_BYTES 200u	/* of NAME_MAX, before the number */

struct output {
	struct recorder_bytes json, decisions, inputs, values;
	int parent_fd;
	int dir_fd;		/* the temporary directory, locked; -1 none */
	size_t made;		/* length of the first prefix of parent made */
	char temporary[96];	/* its name in the parent; "" none */
	char final[NAME_MAX + 1];
};

static struct format_part describe(const struct recorder_bytes *b)
{
	return (struct format_part){
		.bytes = b->nr,
		.checksum = format_checksum(FORMAT_CHECKSUM_INIT, b->data,
					    b->nr),
	};
}

static int render_values(struct output *o, const struct trace *t)
{
	struct recorder_bytes raw = { 0 };
	int ret = recorder__encode_values(t, &raw);

	if (!ret)
		ret = recorder__pack(&o->values, FORMAT_VALUES_MAGIC,
				     t->nr_values, raw.data, raw.nr);
	free(raw.data);
	return ret;
}

/* All bytes in memory first: what can fail for lack of it fails early. */
static int render(struct output *o, const struct trace *t)
{
	struct recorder_bytes raw = { 0 };
	struct format_parts parts = { 0 };
	int ret;

	ret = recorder__encode_decisions(t, &raw);
	if (!ret)
		ret = recorder__pack(&o->decisions, FORMAT_DECISIONS_MAGIC,
				     t->nr_events, raw.data, raw.nr);
	if (!ret)
		ret = recorder__pack(&o->inputs, FORMAT_INPUTS_MAGIC,
				     t->input_bytes, t->input, t->input_bytes);
	free(raw.data);
	if (!ret && t->nr_values)
		ret = render_values(o, t);
	if (ret)
		return ret;
	parts.decisions = describe(&o->decisions);
	parts.inputs = describe(&o->inputs);
	if (t->nr_values)
		parts.values = describe(&o->values);
	return recorder__print_json(t, &parts, &o->json);
}

/* mkdir -p; *made is the length of the first directory that was missing. */
static int make_parents(const char *path, size_t *made)
{
	char *copy = strdup(path);
	size_t length = strlen(path);
	int ret = 0;

	if (!copy)
		return -ENOMEM;
	for (size_t i = 1; i <= length && !ret; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		copy[i] = '\0';
		if (!mkdir(copy, 0777)) {
			if (!*made)
				*made = i;
		} else if (errno != EEXIST) {
			ret = -errno;
		}
		copy[i] = path[i];
	}
	free(copy);
	return ret;
}

/* Take back what make_parents() made; a directory in use stays. */
static void unmake_parents(const char *path, size_t made)
{
	char *copy = made ? strdup(path) : NULL;

	if (!copy)
		return;
	for (size_t i = strlen(path); i >= made; i--) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		copy[i] = '\0';
		rmdir(copy);
	}
	free(copy);
}

static int write_all(int fd, const uint8_t *data, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, data, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -ENOSPC;
		data += n;
		bytes -= (size_t)n;
	}
	return 0;
}

static int write_file(int dir_fd, const char *name,
		      const struct recorder_bytes *b)
{
	int fd = openat(dir_fd, name,
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write_all(fd, b->data, b->nr);
	if (!ret && fsync(fd) && errno != EINVAL)
		ret = -errno;
	if (close(fd) && !ret && errno != EINTR)
		ret = -errno;	/* NFS tells about a full disk here */
	return ret;
}

static int open_temporary(struct output *o)
{
	o->dir_fd = openat(o->parent_fd, o->temporary,
			   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->dir_fd < 0)
		return -errno;
	/* Where there are no locks, nobody cleans either. */
	flock(o->dir_fd, LOCK_EX | LOCK_NB);
	return 0;
}

static int make_temporary(struct output *o)
{
	for (unsigned int i = 0; i < MAX_NUMBER; i++) {
		snprintf(o->temporary, sizeof(o->temporary), ".tmp-%ld-%u",
			 (long)getpid(), i);
		if (!mkdirat(o->parent_fd, o->temporary, 0777))
			return open_temporary(o);
		if (errno != EEXIST)
			break;
	}
	o->temporary[0] = '\0';
	return -errno;
}

static int write_files(struct output *o)
{
	int ret = write_file(o->dir_fd, FORMAT_DECISIONS_FILE, &o->decisions);

	if (!ret)
		ret = write_file(o->dir_fd, FORMAT_INPUTS_FILE, &o->inputs);
	if (!ret && o->values.nr)
		ret = write_file(o->dir_fd, FORMAT_VALUES_FILE, &o->values);
	if (!ret)
		ret = write_file(o->dir_fd, FORMAT_JSON_FILE, &o->json);
	/* Some file systems cannot sync directories: EINVAL. */
	if (!ret && fsync(o->dir_fd) && errno != EINVAL)
		ret = -errno;
	return ret;
}

/*
 * File systems without RENAME_NOREPLACE: claim the name with an empty
 * directory, which rename() may replace and nobody else will take.
 */
static int rename_claimed(struct output *o)
{
	if (mkdirat(o->parent_fd, o->final, 0777))
		return -errno;
	if (renameat(o->parent_fd, o->temporary, o->parent_fd, o->final)) {
		int ret = -errno;

		unlinkat(o->parent_fd, o->final, AT_REMOVEDIR);
		return ret;
	}
	return 0;
}

static int rename_final(struct output *o, const char *name)
{
	int ret = -EEXIST;

	for (unsigned int i = 0; i < MAX_NUMBER && ret == -EEXIST; i++) {
		int length = snprintf(o->final, sizeof(o->final), "%s-%u",
				      name, i);

		if (length < 0 || (size_t)length >= sizeof(o->final))
			return -ENAMETOOLONG;
		ret = 0;
		if (renameat2(o->parent_fd, o->temporary, o->parent_fd,
			      o->final, RENAME_NOREPLACE))
			ret = -errno;
		if (ret == -EINVAL || ret == -ENOSYS)
			ret = rename_claimed(o);
	}
	if (!ret)
		o->temporary[0] = '\0';
	return ret;
}

static void remove_temporary(int parent_fd, const char *name)
{
	static const char *const files[] = {
		FORMAT_DECISIONS_FILE, FORMAT_INPUTS_FILE, FORMAT_VALUES_FILE,
		FORMAT_JSON_FILE,
	};
	int dir_fd = openat(parent_fd, name,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd >= 0) {
		for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
			unlinkat(dir_fd, files[i], 0);
		close(dir_fd);
	}
	unlinkat(parent_fd, name, AT_REMOVEDIR);
}

/* Whether its writer is gone: nobody holds the lock. */
static bool is_abandoned(int parent_fd, const char *name, long writer)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_free = fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB);

	/* Made just now, and not locked yet. */
	if (is_free && faccessat(fd, FORMAT_DECISIONS_FILE, F_OK, 0) &&
	    (!kill((pid_t)writer, 0) || errno == EPERM))
		is_free = false;
	if (fd >= 0)
		close(fd);
	return is_free;
}

void trace_clean(const char *parent)
{
	DIR *d = opendir(parent);
	unsigned int number;
	long writer;
	int end;

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		end = 0;
		if (sscanf(e->d_name, ".tmp-%ld-%u%n", &writer, &number,
			   &end) == 2 && end && !e->d_name[end] &&
		    is_abandoned(dirfd(d), e->d_name, writer))
			remove_temporary(dirfd(d), e->d_name);
	}
	closedir(d);
}

static int write_trace(struct output *o, const struct trace *t,
		       const char *parent, const char *name)
{
	int ret = render(o, t);

	if (ret)
		return ret;
	if (o->json.nr > FORMAT_JSON_MAX_BYTES)
		return -EFBIG;	/* the reader would refuse it */
	ret = make_parents(parent, &o->made);
	if (ret)
		return ret;
	o->parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->parent_fd < 0)
		return -errno;
	ret = make_temporary(o);
	if (!ret)
		ret = write_files(o);
	if (!ret)
		ret = rename_final(o, name);
	if (!ret)
		fsync(o->parent_fd);	/* whether or not: it is there */
	return ret;
}

static bool is_name(const char *name)
{
	return *name && !strchr(name, '/');
}

/*
 * What the directory is named, for a program of any name: directories with a
 * leading dot are taken for unfinished ones, control characters garble a
 * terminal, and the number needs room. A multi-byte
 * character is not cut.
 */
static void make_name(char *out, const char *name)
{
	size_t n = strlen(name);

	if (n > MAX_NAME_BYTES) {
		n = MAX_NAME_BYTES;
		while (n && ((unsigned char)name[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(out, name, n);
	out[n] = '\0';
	if (*out == '.')
		*out = '_';
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '_';
}

/* Room for the path of any directory in `parent`. */
static char *new_path(const char *parent)
{
	return malloc(strlen(parent) + 1 + NAME_MAX + 1);
}

int trace_write(const struct trace *t, const char *parent, const char *name,
		char **path, struct errbuf *err)
{
	char directory[MAX_NAME_BYTES + 1];
	struct output o = { .parent_fd = -1, .dir_fd = -1 };
	char *made = new_path(parent);
	int ret = -EINVAL;

	if (!made)
		ret = -ENOMEM;
	else if (*parent && is_name(name)) {
		make_name(directory, name);
		ret = write_trace(&o, t, parent, directory);
	}
	if (o.temporary[0])
		remove_temporary(o.parent_fd, o.temporary);
	if (o.parent_fd >= 0)
		close(o.parent_fd);
	if (o.dir_fd >= 0)
		close(o.dir_fd);
	if (ret) {
		unmake_parents(parent, o.made);
		errbuf_addf(err, "cannot write trace in '%s': %s", parent,
			    strerror(-ret));
		free(made);
	} else {
		sprintf(made, "%s%s%s", parent,
			parent[strlen(parent) - 1] == '/' ? "" : "/", o.final);
		*path = made;
	}
	free(o.json.data);
	free(o.decisions.data);
	free(o.inputs.data);
	free(o.values.data);
	return ret;
}
