/* SPDX-License-Identifier: MIT */
/*
 * order.c - a reader looks between the two halves of the first of N updates
 */
#include <assert.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int first, second;

static void *set(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	first = 1;
	pthread_mutex_unlock(&lock);
	pthread_mutex_lock(&lock);
	second = 1;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *look(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	assert(first == second);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int nr = guest_number(argc, argv, 1, 3);
	pthread_t t = guest_start(look, NULL);

	guest_run(nr - 1, set);
	guest_join(t);
	return guest_ok();
}
