/* SPDX-License-Identifier: MIT */
/*
 * ok_own_stack.c - a thread on a stack that the program gave it: correct
 */
#include <assert.h>

#include "guest.h"

static char stack[65536] __attribute__((aligned(64)));
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *arg)
{
	char here;

	pthread_mutex_lock(&lock);
	assert(&here > stack && &here < stack + sizeof(stack));
	pthread_mutex_unlock(&lock);
	return arg;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	assert(!pthread_attr_setstack(&attr, stack, sizeof(stack)));
	for (int i = 0; i < 3; i++) {
		assert(!pthread_create(&thread, &attr, work, NULL));
		guest_join(thread);
	}
	return guest_ok();
}
