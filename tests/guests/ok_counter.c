/* SPDX-License-Identifier: MIT */
/*
 * ok_counter.c - N threads count under a lock: correct
 */
#include <assert.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int total;

static void *add(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	total++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int nr = guest_number(argc, argv, 1, 3);

	guest_run(nr, add);
	assert(total == nr);
	return guest_ok();
}
