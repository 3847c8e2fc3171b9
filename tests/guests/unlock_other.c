/* SPDX-License-Identifier: MIT */
/*
 * unlock_other.c - a failed trylock is ignored: unlocks what another one holds
 */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int hits;

static void *hit(void *arg)
{
	(void)arg;
	pthread_mutex_trylock(&lock);
	hits++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	guest_run(2, hit);
	return guest_ok();
}
