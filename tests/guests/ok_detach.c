/* SPDX-License-Identifier: MIT */
/*
 * ok_detach.c - main leaves with pthread_exit; detached threads end the program
 */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int nr_done;

static void *work(void *arg)
{
	pthread_mutex_lock(&lock);
	nr_done++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return arg;
}

static void *finish(void *arg)
{
	pthread_mutex_lock(&lock);
	while (nr_done < 2)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	puts("ok");
	return arg;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, work, NULL) ||
	    pthread_create(&thread, &attr, finish, NULL))
		return 99;
	pthread_detach(guest_start(work, NULL));
	pthread_exit(NULL);
}
