/* SPDX-License-Identifier: MIT */
/*
 * device.c - what a device says decides; a replay must hear it again
 *
 * Each run draws from /dev/urandom anew, so a failing one is only reproduced
 * when its bytes are.
 */
#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char sum;

static void *draw(void *arg)
{
	unsigned char byte = 0;
	int fd = open("/dev/urandom", O_RDONLY);

	assert(fd >= 0 && read(fd, &byte, 1) == 1);
	close(fd);
	pthread_mutex_lock(&lock);
	sum ^= byte;
	pthread_mutex_unlock(&lock);
	return arg;
}

int main(void)
{
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, draw, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	assert(sum % 4);
	return 0;
}
