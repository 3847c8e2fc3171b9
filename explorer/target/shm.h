/* SPDX-License-Identifier: MIT */
/*
 * shm.h - a /dev/shm of its own for each ward.
 *
 * Runs that go on at once, searches at once and runs one after the other would
 * meet at the names there (a named semaphore is a file in it). So each ward
 * gets one that begins as it was when the tool first looked, and its zygote
 * puts it back before each run.
 */
#ifndef EXPLORER_SHM_H
#define EXPLORER_SHM_H

#include <stdbool.h>

/* In the zygote's root directory of it: what is at /dev/shm, and names kept. */
#define SHM_VISIBLE "shm"
#define SHM_KEPT "keep"

enum shm_state {
	SHM_ABSENT,	/* there is no such directory */
	SHM_PRIVATE,	/* each ward gets its own */
	SHM_TOO_LARGE,	/* more is in it than we copy: it stays everybody's */
	SHM_IN_USE,	/* the program, or its directory, is in it: likewise */
};

/* Once, in the tool. Program and directory as they will be executed. */
enum shm_state shm_look(const char *program, const char *cwd);

/*
 * In a ward with a mount namespace: mount it. Returns a descriptor of the root
 * directory, or -1: it stays as it was. May be called behind a fork of a
 * program with threads.
 */
int shm_mount(void);

#endif /* EXPLORER_SHM_H */
