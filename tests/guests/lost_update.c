/* SPDX-License-Identifier: MIT */
/*
 * lost_update.c - the lock is dropped between reading and writing back
 */
#include <assert.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int total;

static void *add_one(void *arg)
{
	unsigned int seen;

	(void)arg;
	pthread_mutex_lock(&lock);
	seen = total;
	pthread_mutex_unlock(&lock);

	pthread_mutex_lock(&lock);
	total = seen + 1;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int nr = guest_number(argc, argv, 1, 2);

	guest_run(nr, add_one);
	assert(total == nr);
	return guest_ok();
}
