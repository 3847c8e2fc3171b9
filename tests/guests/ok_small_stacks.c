/* SPDX-License-Identifier: MIT */
/*
 * ok_small_stacks.c - threads with the smallest stack allowed, 16 KiB: correct
 */
#include <assert.h>
#include <limits.h>
#include <unistd.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int nr_here;

static void *work(void *arg)
{
	volatile char frame[2048];

	for (unsigned int i = 0; i < sizeof(frame); i++)
		frame[i] = (char)i;
	pthread_mutex_lock(&lock);
	nr_here++;
	pthread_cond_broadcast(&changed);
	while (nr_here < 3)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	assert(getppid() > 0);
	for (unsigned int i = 0; i < sizeof(frame); i++)
		assert(frame[i] == (char)i);
	return arg;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t thread[3];

	pthread_attr_init(&attr);
	assert(!pthread_attr_setstacksize(&attr, 16384));
	for (int i = 0; i < 3; i++)
		assert(!pthread_create(&thread[i], &attr, work, NULL));
	for (int i = 0; i < 3; i++)
		guest_join(thread[i]);
	return guest_ok();
}
