/* SPDX-License-Identifier: MIT */
/*
 * rwlock_upgrade.c - a reader that finds work to do asks for the write lock too
 */
#include "guest.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int is_dirty;

static void flush(void)
{
	pthread_rwlock_wrlock(&lock);	/* while it still reads */
	is_dirty = 0;
	pthread_rwlock_unlock(&lock);
}

static void *look(void *arg)
{
	(void)arg;
	pthread_rwlock_rdlock(&lock);
	if (is_dirty)
		flush();
	pthread_rwlock_unlock(&lock);
	return NULL;
}

static void *change(void *arg)
{
	(void)arg;
	pthread_rwlock_wrlock(&lock);
	is_dirty = 1;
	pthread_rwlock_unlock(&lock);
	pthread_rwlock_wrlock(&lock);
	is_dirty = 0;
	pthread_rwlock_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(look, NULL);
	pthread_t u = guest_start(change, NULL);

	guest_join(t);
	guest_join(u);
	return guest_ok();
}
