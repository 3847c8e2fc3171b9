/* SPDX-License-Identifier: MIT */
/*
 * directory.h - what is in a directory, without the C library.
 */
#ifndef PRELOAD_CORE_DIRECTORY_H
#define PRELOAD_CORE_DIRECTORY_H

#include <stdint.h>

#include "preload/core/runtime.h"

/* As getdents64(2) has it: struct linux_dirent64. */
struct directory_entry {
	uint64_t ino;
	int64_t next;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/*
 * Call `look` with the name of each entry but "." and ".." of the directory
 * that `fd` is open for, and close it. What the kernel refuses is an empty
 * directory, fd < 0 included. `look` may call this for another one.
 */
RUNTIME_HIDDEN void directory_each(int64_t fd,
				   void (*look)(const char *name, void *data),
				   void *data);

#endif /* PRELOAD_CORE_DIRECTORY_H */
