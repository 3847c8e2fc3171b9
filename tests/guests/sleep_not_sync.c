/* SPDX-License-Identifier: MIT */
/*
 * sleep_not_sync.c - a sleep that is "surely long enough" for another thread
 */
#include <assert.h>
#include <unistd.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int answer;

static void *compute(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	answer = 42;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(compute, NULL);

	usleep(20 * 1000);
	pthread_mutex_lock(&lock);
	assert(answer == 42);
	pthread_mutex_unlock(&lock);
	guest_join(t);
	return guest_ok();
}
