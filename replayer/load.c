/* SPDX-License-Identifier: MIT */
/*
 * load.c - a file of a trace into memory, and what to say when it is no good.
 */
#include "replayer/internal.h"
#include "replayer/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int replayer__corrupt(struct errbuf *err, const char *path, const char *why)
{
	errbuf_addf(err, "'%s' is damaged: %s", path, why);
	return TRACE_E_CORRUPT;
}

int replayer__newer(struct errbuf *err, const char *path, uint64_t version)
{
	errbuf_addf(err, "'%s' was written by a newer explore (format %" PRIu64
		    ", this one reads up to %d)", path, version,
		    TRACE_FORMAT_VERSION);
	return TRACE_E_VERSION;
}

/* Fill `data` up to `bytes`; a file that shrinks meanwhile is shorter. */
static int read_all(int fd, struct replayer_file *file, size_t bytes)
{
	while (file->bytes < bytes) {
		ssize_t n = read(fd, file->data + file->bytes,
				 bytes - file->bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		file->bytes += (size_t)n;
	}
	file->data[file->bytes] = '\0';
	return 0;
}

static int load(int fd, struct replayer_file *file, size_t max,
		struct errbuf *err)
{
	struct stat st;
	int ret;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return replayer__corrupt(err, file->path,
					 "it is not a regular file");
	if ((uint64_t)st.st_size > max)
		return replayer__corrupt(err, file->path, "it is too large");
	file->data = malloc((size_t)st.st_size + 1);
	if (!file->data)
		return -ENOMEM;
	ret = read_all(fd, file, (size_t)st.st_size);
	if (ret) {
		free(file->data);
		file->data = NULL;
	}
	return ret;
}

int replayer__load(struct replayer_file *file, size_t max, struct errbuf *err)
{
	/* NONBLOCK: do not hang on a fifo of that name. */
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int ret = -errno;

	file->data = NULL;
	file->bytes = 0;
	if (fd >= 0) {
		ret = load(fd, file, max, err);
		close(fd);
	}
	if (ret && ret != TRACE_E_CORRUPT)
		errbuf_addf(err, "cannot read '%s': %s", file->path,
			    strerror(-ret));
	return ret;
}
