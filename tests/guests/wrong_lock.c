/* SPDX-License-Identifier: MIT */
/*
 * wrong_lock.c - one variable, two threads, two different locks
 */
#include <assert.h>

#include "guest.h"

static pthread_mutex_t lock[2] = { PTHREAD_MUTEX_INITIALIZER,
				   PTHREAD_MUTEX_INITIALIZER };
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int balance, log_lines;

static void *deposit(void *arg)
{
	pthread_mutex_t *mine = &lock[(uintptr_t)arg];
	int seen;

	pthread_mutex_lock(mine);
	seen = balance;
	pthread_mutex_lock(&log_lock);
	log_lines++;
	pthread_mutex_unlock(&log_lock);
	balance = seen + 10;
	pthread_mutex_unlock(mine);
	return NULL;
}

int main(void)
{
	guest_run(2, deposit);
	assert(log_lines == 2);
	assert(balance == 20);
	return guest_ok();
}
