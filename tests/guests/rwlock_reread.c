/* SPDX-License-Identifier: MIT */
/*
 * rwlock_reread.c - a reader reads again while a writer waits that has priority
 */
#include "guest.h"

static pthread_rwlock_t lock;
static int value;

static int get(void)
{
	int seen;

	pthread_rwlock_rdlock(&lock);
	seen = value;
	pthread_rwlock_unlock(&lock);
	return seen;
}

static void *look(void *arg)
{
	(void)arg;
	pthread_rwlock_rdlock(&lock);
	get();
	pthread_rwlock_unlock(&lock);
	return NULL;
}

static void *change(void *arg)
{
	(void)arg;
	pthread_rwlock_wrlock(&lock);
	value++;
	pthread_rwlock_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_rwlockattr_t attr;
	pthread_t t, u;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(
		&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&lock, &attr);
	t = guest_start(look, NULL);
	u = guest_start(change, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
