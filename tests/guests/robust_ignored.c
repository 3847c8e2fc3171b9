/* SPDX-License-Identifier: MIT */
/*
 * robust_ignored.c - the next owner ignores that the last one died at work
 */
#include <assert.h>

#include "guest.h"

static pthread_mutex_t lock;
static pthread_mutex_t stop_lock = PTHREAD_MUTEX_INITIALIZER;
static int should_stop, debit, credit;

static void *book(void *arg)
{
	int stop;

	(void)arg;
	pthread_mutex_lock(&lock);
	debit++;
	pthread_mutex_lock(&stop_lock);
	stop = should_stop;
	pthread_mutex_unlock(&stop_lock);
	if (stop)
		pthread_exit(NULL);	/* half done, and the lock is held */
	credit++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *ask_to_stop(void *arg)
{
	(void)arg;
	guest_compute();
	pthread_mutex_lock(&stop_lock);
	should_stop = 1;
	pthread_mutex_unlock(&stop_lock);
	return NULL;
}

int main(void)
{
	pthread_mutexattr_t attr;
	pthread_t t, u;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&lock, &attr);
	t = guest_start(book, NULL);
	u = guest_start(ask_to_stop, NULL);
	guest_join(t);
	guest_join(u);
	pthread_mutex_lock(&lock);	/* EOWNERDEAD is not looked at */
	assert(debit == credit);
	pthread_mutex_unlock(&lock);
	return guest_ok();
}
