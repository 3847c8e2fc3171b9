/* SPDX-License-Identifier: MIT */
/*
 * choose_value.c - one combination of input values is handled wrongly
 */
#include <assert.h>

#include <explore/explore.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int sum;

static void *read_value(void *arg)
{
	unsigned int value = explore_choose(4);

	(void)arg;
	pthread_mutex_lock(&lock);
	sum = 4 * sum + value;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	guest_run(2, read_value);
	assert(sum != 4 * 3 + 1);
	return guest_ok();
}
