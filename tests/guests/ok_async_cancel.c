/* SPDX-License-Identifier: MIT */
/*
 * ok_async_cancel.c - threads that are cancelled anywhere, in a loop too: correct
 */
#include <assert.h>
#include <semaphore.h>
#include <unistd.h>

#include "guest.h"

static sem_t started;
static volatile unsigned int never;

static _Noreturn void *spin_for_ever(void *arg)
{
	int old;

	(void)arg;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	sem_post(&started);
	for (;;)
		if (never)
			sem_post(&started);
}

static _Noreturn void *sleep_for_ever(void *arg)
{
	int old;

	(void)arg;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	sem_post(&started);
	for (;;)
		sleep(1000);
}

int main(void)
{
	pthread_t t, u;
	void *result;

	sem_init(&started, 0, 0);
	t = guest_start(spin_for_ever, NULL);
	u = guest_start(sleep_for_ever, NULL);
	sem_wait(&started);
	sem_wait(&started);
	pthread_cancel(t);
	pthread_cancel(u);
	pthread_join(t, &result);
	assert(result == PTHREAD_CANCELED);
	pthread_join(u, &result);
	assert(result == PTHREAD_CANCELED);
	return guest_ok();
}
