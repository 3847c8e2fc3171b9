/* SPDX-License-Identifier: MIT */
/*
 * races_many.c - a record that is read and written without a lock: races on its
 * numbers, its text, and the blocks that it leads to
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

static struct {
	int in, out;
	char text[32];
	int *last;
} shared;

static void *write_it(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		int *block = malloc(sizeof(*block));

		*block = i;
		shared.in++;
		memcpy(shared.text + i, "abcdefgh", 8);
		shared.last = block;
		shared.out--;
	}
	return NULL;
}

static void *read_it(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		int in = shared.in, out = shared.out;

		if (shared.last && *shared.last > 2)
			abort();
		if (strlen(shared.text) > 30)
			abort();
		assert(in + out == 0);
	}
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(write_it, NULL);
	pthread_t u = guest_start(read_it, NULL);

	guest_join(t);
	guest_join(u);
	return guest_ok();
}
