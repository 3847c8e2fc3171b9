/* SPDX-License-Identifier: MIT */
/*
 * null_deref.c - a pointer is checked under the lock and used under the next
 */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int storage;
static int *volatile current = &storage;

static void *count(void *arg)
{
	int has_current;

	(void)arg;
	pthread_mutex_lock(&lock);
	has_current = current != NULL;
	pthread_mutex_unlock(&lock);
	if (!has_current)
		return NULL;
	pthread_mutex_lock(&lock);
	(*current)++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *drop(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	current = NULL;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(count, NULL);
	pthread_t u = guest_start(drop, NULL);

	guest_join(t);
	guest_join(u);
	return guest_ok();
}
