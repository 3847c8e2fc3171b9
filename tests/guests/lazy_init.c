/* SPDX-License-Identifier: MIT */
/*
 * lazy_init.c - two users find no instance, and both make one
 */
#include <assert.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int *instance, nr_made;

static int *get(void)
{
	static int storage[2];
	int *seen;

	pthread_mutex_lock(&lock);
	seen = instance;
	pthread_mutex_unlock(&lock);
	if (seen)
		return seen;

	pthread_mutex_lock(&lock);
	seen = instance = &storage[nr_made++];
	pthread_mutex_unlock(&lock);
	return seen;
}

static void *use(void *arg)
{
	(void)arg;
	(void)get();
	return NULL;
}

int main(void)
{
	guest_run(2, use);
	assert(nr_made == 1);
	return guest_ok();
}
