/* SPDX-License-Identifier: MIT */
/*
 * missing_join.c - main ends the process before the work of a thread is done
 */
#include <semaphore.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t progress;
static int lines_written;

static void *write_lines(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			sem_post(&progress);
		pthread_mutex_lock(&lock);
		lines_written++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

/* Runs at exit, as a buffer flush would. */
static void flush(void)
{
	int nr;

	pthread_mutex_lock(&lock);
	nr = lines_written;
	pthread_mutex_unlock(&lock);
	if (nr != 3)
		_Exit(4);
}

int main(void)
{
	sem_init(&progress, 0, 0);
	atexit(flush);
	guest_start(write_lines, NULL);
	sem_wait(&progress);
	guest_compute();
	return guest_ok();
}
