/* SPDX-License-Identifier: MIT */
/*
 * double_checked.c - double-checked initialisation without the second check
 */
#include <assert.h>
#include <stdatomic.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int is_ready;
static int nr_built;

static void *use(void *arg)
{
	(void)arg;
	if (!is_ready) {
		pthread_mutex_lock(&lock);
		nr_built++;
		is_ready = 1;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(void)
{
	guest_run(3, use);
	assert(nr_built == 1);
	return guest_ok();
}
