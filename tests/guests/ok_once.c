/* SPDX-License-Identifier: MIT */
/*
 * ok_once.c - many come, one initialises, all see it: correct
 */
#include <assert.h>

#include "guest.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int nr_made, value;

static void make(void)
{
	pthread_mutex_lock(&lock);
	nr_made++;
	pthread_mutex_unlock(&lock);
	value = 5;
}

static void *use(void *arg)
{
	(void)arg;
	pthread_once(&once, make);
	assert(value == 5);
	return NULL;
}

int main(void)
{
	guest_run(4, use);
	assert(nr_made == 1);
	return guest_ok();
}
