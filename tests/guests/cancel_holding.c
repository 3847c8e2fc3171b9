/* SPDX-License-Identifier: MIT */
/*
 * cancel_holding.c - a thread is cancelled while it holds a lock
 */
#include <fcntl.h>
#include <unistd.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int fd;

static void *work(void *arg)
{
	ssize_t n;

	(void)arg;
	pthread_testcancel();		/* the place meant for it */
	pthread_mutex_lock(&lock);
	n = write(fd, "x", 1);		/* but this is one as well */
	pthread_mutex_unlock(&lock);
	return n == 1 ? NULL : (void *)1;
}

int main(void)
{
	pthread_t t;

	fd = open("/dev/null", O_WRONLY);
	t = guest_start(work, NULL);
	pthread_cancel(t);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	pthread_join(t, NULL);
	return guest_ok();
}
