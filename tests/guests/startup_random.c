/* SPDX-License-Identifier: MIT */
/*
 * startup_random.c - what a constructor draws by lot decides what main does
 *
 * A lost update fails here, after as many operations as the kernel's random
 * number says. A trace replays only where that is the same number again.
 */
#include <assert.h>
#include <sys/random.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int drawn;
static int count;

__attribute__((constructor)) static void draw(void)
{
	if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn))
		exit(99);
}

static void *work(void *arg)
{
	int seen;

	(void)arg;
	pthread_mutex_lock(&lock);
	seen = count;
	pthread_mutex_unlock(&lock);
	pthread_mutex_lock(&lock);
	count = seen + 1;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	for (unsigned int i = drawn % 256; i; i--) {
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
	}
	guest_run(2, work);
	assert(count == 2);
	return guest_ok();
}
