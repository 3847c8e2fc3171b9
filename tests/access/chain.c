/* SPDX-License-Identifier: MIT */
/*
 * chain.c - a bug that needs n ordering constraints between plain accesses
 *
 * Argument 1 is n, 1 to 8: so many threads must look at a baton and pass it on,
 * one after the other, in the order opposite to that of their creation, before
 * main looks. Argument 2 is how many accesses to shared memory each of them
 * makes before and after, which matter to nobody.
 */
#include <assert.h>

#include "tests/guests/guest.h"

#define MAX_LINKS 8

static volatile unsigned int baton, other;
static unsigned int nr_links, nr_others;

static void busy(void)
{
	for (unsigned int i = 0; i < nr_others; i++)
		other = other + 1;
}

static void *pass(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg;

	busy();
	if (baton == me)
		baton = me + 1;
	busy();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[MAX_LINKS];

	nr_links = guest_number(argc, argv, 1, 3) + 1;
	nr_others = guest_number(argc, argv, 2, 0);
	if (nr_links > MAX_LINKS)
		return 99;
	for (unsigned int i = nr_links; i > 0; i--)
		thread[i - 1] = guest_start(pass, (void *)(uintptr_t)(i - 1));
	for (unsigned int i = 0; i < nr_links; i++)
		guest_join(thread[i]);
	assert(baton != nr_links);
	return guest_ok();
}
