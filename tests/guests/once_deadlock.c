/* SPDX-License-Identifier: MIT */
/*
 * once_deadlock.c - an initialiser takes a lock that a user of it already holds
 */
#include "guest.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int is_started, table;

static void build(void)
{
	pthread_mutex_lock(&lock);
	is_started = 1;
	pthread_mutex_unlock(&lock);
	pthread_mutex_lock(&lock);
	table = 1;
	pthread_mutex_unlock(&lock);
}

static void *use(void *arg)
{
	(void)arg;
	pthread_once(&once, build);
	return NULL;
}

/* Nothing to do before the start; after it, waits for the whole table. */
static void *check(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	if (is_started)
		pthread_once(&once, build);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(use, NULL);
	pthread_t u = guest_start(check, NULL);

	guest_join(t);
	guest_join(u);
	return table == 1 ? guest_ok() : 1;
}
