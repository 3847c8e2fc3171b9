/* SPDX-License-Identifier: MIT */
/*
 * abort_invariant.c - a program that checks itself and calls abort()
 */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int left = 5, right = 5;

static void *move(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	left--;
	pthread_mutex_unlock(&lock);
	/* One is in flight here, and nobody knows. */
	pthread_mutex_lock(&lock);
	right++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *audit(void *arg)
{
	int sum;

	(void)arg;
	pthread_mutex_lock(&lock);
	sum = left + right;
	pthread_mutex_unlock(&lock);
	if (sum != 10) {
		fprintf(stderr, "the books do not balance: %d\n", sum);
		abort();
	}
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(move, NULL);
	pthread_t u = guest_start(audit, NULL);

	guest_join(t);
	guest_join(u);
	return guest_ok();
}
