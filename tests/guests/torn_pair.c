/* SPDX-License-Identifier: MIT */
/*
 * torn_pair.c - a reader sees one half of an update made under two locks
 */
#include <assert.h>

#include "guest.h"

static pthread_mutex_t x_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t y_lock = PTHREAD_MUTEX_INITIALIZER;
static int x, y;

static void set(int *to, pthread_mutex_t *lock, int value)
{
	pthread_mutex_lock(lock);
	*to = value;
	pthread_mutex_unlock(lock);
}

static int get(const int *from, pthread_mutex_t *lock)
{
	int value;

	pthread_mutex_lock(lock);
	value = *from;
	pthread_mutex_unlock(lock);
	return value;
}

static void *write_both(void *arg)
{
	(void)arg;
	set(&x, &x_lock, 1);
	set(&y, &y_lock, 1);
	return NULL;
}

static void *read_both(void *arg)
{
	int first, second;

	(void)arg;
	first = get(&x, &x_lock);
	second = get(&y, &y_lock);
	assert(!second || first);	/* x was set first */
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(read_both, NULL);
	pthread_t u = guest_start(write_both, NULL);

	guest_join(t);
	guest_join(u);
	return guest_ok();
}
