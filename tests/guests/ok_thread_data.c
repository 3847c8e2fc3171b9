/* SPDX-License-Identifier: MIT */
/*
 * ok_thread_data.c - thread-local variables and keys with destructors: correct
 */
#include <assert.h>
#include <errno.h>
#include <sched.h>

#include "guest.h"

static pthread_key_t key;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int nr_destroyed;
static __thread int mine = 100;
static __thread char big[3000];

static void destroy(void *data)
{
	int *value = data;

	assert(*value == mine);
	free(value);
	pthread_mutex_lock(&lock);
	nr_destroyed++;
	pthread_mutex_unlock(&lock);
}

static void *work(void *arg)
{
	int *value = malloc(sizeof(*value));

	assert(mine == 100 && !big[2999]);
	mine += (int)(uintptr_t)arg;
	big[2999] = (char)mine;
	*value = mine;
	pthread_setspecific(key, value);
	errno = mine;
	sched_yield();
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	assert(errno == mine);
	assert(mine == 100 + (int)(uintptr_t)arg && big[2999] == (char)mine);
	assert(pthread_getspecific(key) == value);
	return NULL;
}

int main(void)
{
	pthread_key_create(&key, destroy);
	guest_run(3, work);
	assert(nr_destroyed == 3 && mine == 100);
	pthread_key_delete(key);
	return guest_ok();
}
