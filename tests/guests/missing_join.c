/* SPDX-License-Identifier: MIT */
/*
 * missing_join.c - main ends the process before the work of a thread is done
 */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int lines_written;

static void *write_lines(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
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

static void *compute_long(void *arg)
{
	guest_compute();
	return arg;
}

int main(void)
{
	atexit(flush);
	guest_start(write_lines, NULL);
	guest_join(guest_start(compute_long, NULL));
	return guest_ok();
}
