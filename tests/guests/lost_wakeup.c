/* SPDX-License-Identifier: MIT */
/*
 * lost_wakeup.c - the flag is checked, then the wait begins without a recheck
 */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static int is_ready;

static void *wait_for_it(void *arg)
{
	int seen;

	(void)arg;
	pthread_mutex_lock(&lock);
	seen = is_ready;
	pthread_mutex_unlock(&lock);
	if (seen)
		return NULL;
	pthread_mutex_lock(&lock);
	pthread_cond_wait(&ready, &lock);	/* may have been signalled */
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(wait_for_it, NULL);

	pthread_mutex_lock(&lock);
	is_ready = 1;
	pthread_cond_signal(&ready);
	pthread_mutex_unlock(&lock);
	guest_join(t);
	return guest_ok();
}
