/* SPDX-License-Identifier: MIT */
/*
 * exit_status.c - a failure that shows in the exit status only
 */
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

static void *compute_long(void *arg)
{
	guest_compute();
	return arg;
}

int main(void)
{
	pthread_t t, u;
	int seen;

	t = guest_start(compute, NULL);
	u = guest_start(compute_long, NULL);
	guest_join(u);	/* the other one is done as well by then */
	pthread_mutex_lock(&lock);
	seen = answer;
	pthread_mutex_unlock(&lock);
	guest_join(t);
	if (seen != 42)
		return 3;
	return guest_ok();
}
