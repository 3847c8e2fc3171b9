/* SPDX-License-Identifier: MIT */
/*
 * ok_robust_dead.c - a robust mutex that nobody repairs is lost, with a code
 */
#include <assert.h>
#include <errno.h>

#include "guest.h"

static pthread_mutex_t lock;
static int nr_dead, nr_lost;

static void *die_holding(void *arg)
{
	pthread_mutex_lock(&lock);
	return arg;
}

static void *look(void *arg)
{
	int rc = pthread_mutex_lock(&lock);

	if (rc == EOWNERDEAD) {
		nr_dead++;
		pthread_mutex_unlock(&lock);	/* without a repair */
	} else {
		assert(rc == ENOTRECOVERABLE);
		__atomic_add_fetch(&nr_lost, 1, __ATOMIC_RELAXED);
	}
	return arg;
}

int main(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&lock, &attr);
	guest_join(guest_start(die_holding, NULL));
	guest_run(3, look);
	assert(nr_dead == 1 && nr_lost == 2);
	return guest_ok();
}
