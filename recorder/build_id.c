/* SPDX-License-Identifier: MIT */
/*
 * build_id.c - what identifies the contents of an executable file.
 */
#include "recorder/format.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file's GNU build id note, in *hex, which stays NULL without one. */
static int note_id(int fd, char **hex)
{
	Elf *elf;
	const void *bits = NULL;
	ssize_t bytes = 0;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return -EINVAL;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		bytes = dwelf_elf_gnu_build_id(elf, &bits);
	if (bytes > 0) {
		*hex = malloc((size_t)bytes * 2 + 1);
		for (ssize_t i = 0; *hex && i < bytes; i++)
			sprintf(*hex + 2 * i, "%02x",
				((const uint8_t *)bits)[i]);
	}
	elf_end(elf);
	return bytes > 0 && !*hex ? -ENOMEM : 0;
}

/* For files linked without one: size and checksum of all bytes. */
static int content_id(int fd, char **id)
{
	uint64_t sum = FORMAT_CHECKSUM_INIT;
	uint64_t total = 0;
	uint8_t block[16384];
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		sum = format_checksum(sum, block, (size_t)n);
		total += (uint64_t)n;
	}
	if (asprintf(id, "content:%" PRIx64 "-%016" PRIx64, total, sum) < 0) {
		*id = NULL;
		return -ENOMEM;
	}
	return 0;
}

int trace_build_id(const char *path, char **build_id)
{
	/* NONBLOCK: never hang on a path that became a fifo. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *id = NULL;
	struct stat st;
	int ret;

	if (fd < 0)
		return -errno;
	ret = fstat(fd, &st) ? -errno : 0;
	if (!ret && !S_ISREG(st.st_mode))
		ret = -EINVAL;
	if (!ret)
		ret = note_id(fd, &id);
	if (!ret && !id)
		ret = content_id(fd, &id);
	close(fd);
	if (ret)
		return ret;
	*build_id = id;
	return 0;
}
