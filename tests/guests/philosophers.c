/* SPDX-License-Identifier: MIT */
/*
 * philosophers.c - N philosophers, each with the left fork first
 *
 * With a second argument the last one is left-handed, which is correct.
 */
#include "guest.h"

static pthread_mutex_t fork_of[GUEST_MAX_THREADS];
static unsigned int nr, is_correct;

static void *dine(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg;
	unsigned int first = me, second = (me + 1) % nr;

	if (is_correct && second < first) {
		first = second;
		second = me;
	}
	pthread_mutex_lock(&fork_of[first]);
	pthread_mutex_lock(&fork_of[second]);
	pthread_mutex_unlock(&fork_of[second]);
	pthread_mutex_unlock(&fork_of[first]);
	return NULL;
}

int main(int argc, char **argv)
{
	nr = guest_number(argc, argv, 1, 5);
	is_correct = argc > 2;
	for (unsigned int i = 0; i < nr; i++)
		pthread_mutex_init(&fork_of[i], NULL);
	guest_run(nr, dine);
	return guest_ok();
}
