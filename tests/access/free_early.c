/* SPDX-License-Identifier: MIT */
/*
 * free_early.c - a block is freed while another thread still reads it
 *
 * Nothing in the program writes to what is read: free() and realloc() do.
 * Argument 1: free, realloc, or ok (the reader is done before).
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

#define NR 8

static long *block;
static atomic_int is_done;
static const char *what;

static void *read_block(void *arg)
{
	long *mine = block;

	for (int i = 0; i < NR; i++)
		assert(((volatile long *)mine)[i] == 7);
	atomic_store(&is_done, 1);
	return arg;
}

static void *drop_block(void *arg)
{
	while (!strcmp(what, "ok") && !atomic_load(&is_done))
		continue;
	if (!strcmp(what, "realloc"))
		block = realloc(block, 100000);
	else
		free(block);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	what = argc > 1 ? argv[1] : "free";
	block = malloc(NR * sizeof(*block));
	for (int i = 0; i < NR; i++)
		block[i] = 7;
	t = guest_start(read_block, NULL);
	u = guest_start(drop_block, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
