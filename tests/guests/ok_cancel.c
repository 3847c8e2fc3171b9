/* SPDX-License-Identifier: MIT */
/*
 * ok_cancel.c - cancellation with clean-up handlers: correct
 */
#include <assert.h>
#include <semaphore.h>
#include <unistd.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t started;
static int nr_cleaned, end[2];

static void unlock(void *arg)
{
	nr_cleaned++;
	pthread_mutex_unlock(arg);
}

static void *wait_for_ever(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	pthread_cleanup_push(unlock, &lock);
	sem_post(&started);
	for (;;)
		pthread_cond_wait(&never, &lock);
	pthread_cleanup_pop(1);
	return NULL;
}

static void *read_for_ever(void *arg)
{
	char c;

	(void)arg;
	return (void *)(intptr_t)read(end[0], &c, 1);
}

static _Noreturn void *sleep_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

static void *refuse(void *arg)
{
	int old;

	(void)arg;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	sem_post(&started);
	pthread_testcancel();
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return (void *)7;
}

int main(void)
{
	pthread_t t, u, v, w;
	void *result;

	assert(!pipe(end));
	sem_init(&started, 0, 0);
	t = guest_start(wait_for_ever, NULL);
	u = guest_start(read_for_ever, NULL);
	v = guest_start(sleep_for_ever, NULL);
	w = guest_start(refuse, NULL);
	sem_wait(&started);
	sem_wait(&started);
	pthread_cancel(t);
	pthread_cancel(u);
	pthread_cancel(v);
	pthread_cancel(w);
	pthread_join(t, &result);
	assert(result == PTHREAD_CANCELED);
	pthread_join(u, &result);
	assert(result == PTHREAD_CANCELED);
	pthread_join(v, &result);
	assert(result == PTHREAD_CANCELED);
	pthread_join(w, &result);
	assert(result == (void *)7);
	assert(nr_cleaned == 1);
	assert(!pthread_mutex_trylock(&lock));
	pthread_mutex_unlock(&lock);
	return guest_ok();
}
