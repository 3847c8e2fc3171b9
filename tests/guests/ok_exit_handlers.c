/* SPDX-License-Identifier: MIT */
/*
 * ok_exit_handlers.c - handlers at exit while a thread still waits: correct
 */
#include <semaphore.h>
#include <unistd.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t started, never;
static int steps;

static void *wait_for_ever(void *arg)
{
	sem_post(&started);
	sem_wait(&never);
	return arg;
}

static void last(void)
{
	if (steps != 1)
		_exit(2);
	puts("ok");
	fflush(stdout);
}

static void first(void)
{
	pthread_mutex_lock(&lock);
	steps++;
	pthread_mutex_unlock(&lock);
}

int main(void)
{
	sem_init(&started, 0, 0);
	sem_init(&never, 0, 0);
	atexit(last);
	atexit(first);
	pthread_detach(guest_start(wait_for_ever, NULL));
	sem_wait(&started);
	return 0;
}
