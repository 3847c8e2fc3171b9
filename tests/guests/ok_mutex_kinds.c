/* SPDX-License-Identifier: MIT */
/*
 * ok_mutex_kinds.c - recursive, errorcheck and robust mutexes, codes looked at
 */
#include <assert.h>
#include <errno.h>

#include "guest.h"

static pthread_mutex_t recursive, errorcheck, robust, plain, inherit;
static int total;

static void make(pthread_mutex_t *m, int type, int robustness, int protocol)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	pthread_mutexattr_setrobust(&attr, robustness);
	pthread_mutexattr_setprotocol(&attr, protocol);
	assert(!pthread_mutex_init(m, &attr));
	pthread_mutexattr_destroy(&attr);
}

static void nest(int depth)
{
	assert(!pthread_mutex_lock(&recursive));
	total++;
	if (depth)
		nest(depth - 1);
	assert(!pthread_mutex_unlock(&recursive));
}

static void *die_holding(void *arg)
{
	int rc = pthread_mutex_lock(&robust);

	if (rc == EOWNERDEAD)
		pthread_mutex_consistent(&robust);
	return arg;	/* and keeps it */
}

static void *use(void *arg)
{
	int rc;

	nest(2);
	assert(!pthread_mutex_lock(&errorcheck));
	assert(pthread_mutex_lock(&errorcheck) == EDEADLK);
	assert(!pthread_mutex_unlock(&errorcheck));
	rc = pthread_mutex_unlock(&errorcheck);
	assert(rc == EPERM);

	rc = pthread_mutex_lock(&robust);
	if (rc == EOWNERDEAD)
		rc = pthread_mutex_consistent(&robust);
	assert(!rc);
	assert(!pthread_mutex_unlock(&robust));

	rc = pthread_mutex_trylock(&plain);
	assert(!rc || rc == EBUSY);
	if (!rc)
		pthread_mutex_unlock(&plain);

	assert(!pthread_mutex_lock(&inherit));
	assert(!pthread_mutex_unlock(&inherit));
	return arg;
}

int main(void)
{
	pthread_t t, u, v;

	make(&recursive, PTHREAD_MUTEX_RECURSIVE, 0, 0);
	make(&errorcheck, PTHREAD_MUTEX_ERRORCHECK, 0, 0);
	make(&robust, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0);
	make(&plain, PTHREAD_MUTEX_NORMAL, 0, 0);
	make(&inherit, PTHREAD_MUTEX_NORMAL, 0, PTHREAD_PRIO_INHERIT);
	t = guest_start(use, NULL);
	u = guest_start(die_holding, NULL);
	v = guest_start(use, NULL);
	guest_join(t);
	guest_join(u);
	guest_join(v);
	assert(total == 6);
	assert(!pthread_mutex_destroy(&recursive));
	assert(!pthread_mutex_destroy(&errorcheck));
	return guest_ok();
}
