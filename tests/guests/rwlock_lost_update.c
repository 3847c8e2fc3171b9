/* SPDX-License-Identifier: MIT */
/*
 * rwlock_lost_update.c - readers count their visits under the read lock
 */
#include <assert.h>

#include "guest.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int visits, lines;

static void *visit(void *arg)
{
	int seen;

	(void)arg;
	pthread_rwlock_rdlock(&lock);
	seen = visits;
	pthread_mutex_lock(&log_lock);
	lines++;
	pthread_mutex_unlock(&log_lock);
	visits = seen + 1;
	pthread_rwlock_unlock(&lock);
	return NULL;
}

int main(void)
{
	guest_run(3, visit);
	assert(lines == 3);
	assert(visits == 3);
	return guest_ok();
}
