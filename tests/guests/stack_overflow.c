/* SPDX-License-Identifier: MIT */
/*
 * stack_overflow - recursion without end in one of two threads that share data
 * on the way: it dies of it, where it is. Argument: main, thread, or lock, where
 * it ends in a function of the C library that the tool stands in for.
 */
#include <string.h>

#include "guest.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int depth, locks;

static __attribute__((noinline)) int deep(volatile char *p)
{
	volatile char b[200];

	b[0] = p ? p[0] : 1;
	depth++;
	if (locks) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
	}
	return depth < 0 ? 0 : deep(b) + b[0];
}

static void *work(void *arg)
{
	if (arg)
		deep(NULL);
	pthread_mutex_lock(&m);
	depth += 0;
	pthread_mutex_unlock(&m);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "main";
	pthread_attr_t attr;
	pthread_t t;

	locks = !strcmp(how, "lock");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_create(&t, &attr, work, strcmp(how, "main") ? argv : NULL);
	if (!strcmp(how, "main"))
		deep(NULL);
	pthread_join(t, NULL);
	puts("ok");
	return 0;
}
