/* SPDX-License-Identifier: MIT */
/*
 * rare_path.c - a lock orders the accesses, save on a path that is seldom taken
 *
 * The writer changes a pair before it takes the lock, so that whoever takes the
 * lock after it sees both or neither. Readers look only when they came in a
 * certain order, and then also before the writer. Argument 1: broken, or ok
 * (the pair changes under the lock).
 */
#include <assert.h>
#include <string.h>

#include "tests/guests/guest.h"

#define NR_READERS 3
#define NR_WRITES 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int left, right;
static int order[NR_READERS], nr_arrived;
static int is_ok;

static void change(void)
{
	for (int i = 0; i < NR_WRITES; i++) {
		left = left + 1;
		right = right + 1;
	}
}

static void *write_it(void *arg)
{
	if (!is_ok)
		change();
	pthread_mutex_lock(&lock);
	if (is_ok)
		change();
	pthread_mutex_unlock(&lock);
	return arg;
}

static void *read_it(void *arg)
{
	int me = (int)(uintptr_t)arg;

	pthread_mutex_lock(&lock);
	order[nr_arrived++] = me;
	/* Nobody expects the last one to be the first. */
	if (nr_arrived == NR_READERS && order[0] == 2 && order[1] == 1)
		assert(left == right);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t writer, reader[NR_READERS];

	is_ok = argc > 1 && !strcmp(argv[1], "ok");
	writer = guest_start(write_it, NULL);
	for (uintptr_t i = 0; i < NR_READERS; i++)
		reader[i] = guest_start(read_it, (void *)i);
	guest_join(writer);
	for (unsigned int i = 0; i < NR_READERS; i++)
		guest_join(reader[i]);
	return guest_ok();
}
