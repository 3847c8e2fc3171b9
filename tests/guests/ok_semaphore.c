/* SPDX-License-Identifier: MIT */
/*
 * ok_semaphore.c - permits and messages: correct
 *
 * With "named" as argument a semaphore with a name of its own is passed, too.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <unistd.h>

#include "guest.h"

static sem_t permits, items, *named;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int inside;

static void *enter(void *arg)
{
	(void)arg;
	sem_wait(&permits);
	pthread_mutex_lock(&lock);
	inside++;
	assert(inside <= 2);
	pthread_mutex_unlock(&lock);
	pthread_mutex_lock(&lock);
	inside--;
	pthread_mutex_unlock(&lock);
	sem_post(&permits);
	sem_post(&items);
	if (named)
		sem_post(named);
	return NULL;
}

static void *collect(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		sem_wait(&items);
		if (named)
			sem_wait(named);
	}
	return NULL;
}

static void open_named(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/explore-guest-%d", (int)getpid());
	named = sem_open(name, O_CREAT, 0600, 0);
	if (named == SEM_FAILED)
		named = NULL;	/* no /dev/shm here */
	else
		sem_unlink(name);
}

int main(int argc, char **argv)
{
	pthread_t t;
	int value;

	(void)argv;
	if (argc > 1)
		open_named();
	sem_init(&permits, 0, 2);
	sem_init(&items, 0, 0);
	assert(sem_trywait(&items) == -1 && errno == EAGAIN);
	t = guest_start(collect, NULL);
	guest_run(3, enter);
	guest_join(t);
	assert(!sem_getvalue(&permits, &value) && value == 2);
	if (named)
		sem_close(named);
	sem_destroy(&permits);
	sem_destroy(&items);
	return guest_ok();
}
