/* SPDX-License-Identifier: MIT */
/*
 * join_holding.c - main joins a thread while it holds what the thread needs
 */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int result;

static void *work(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	result++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *compute_long(void *arg)
{
	guest_compute();
	return arg;
}

int main(void)
{
	pthread_t t;

	t = guest_start(work, NULL);
	guest_join(guest_start(compute_long, NULL));
	pthread_mutex_lock(&lock);
	guest_join(t);
	pthread_mutex_unlock(&lock);
	return result == 1 ? guest_ok() : 1;
}
