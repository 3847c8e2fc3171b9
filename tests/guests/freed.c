/* SPDX-License-Identifier: MIT */
/*
 * freed.c - memory is used, or given back, after it was given back. A lock
 * orders the two, so there is no data race, and nothing visible happens. The
 * argument says how it is used.
 */
#include <stdatomic.h>
#include <string.h>

#include "guest.h"

struct node {
	long number;
	_Atomic long counter;
	char name[40];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static struct node *node;
static char *big;
static volatile long sink;
static const char *what;
static volatile int offset = 16;	/* compilers see the fault otherwise */
static int is_used, is_freed;

static int is(const char *name)
{
	return !strcmp(what, name);
}

static void use(struct node *n)
{
	static char copy[40];

	if (is("read"))
		sink = n->number;
	if (is("write"))
		n->number = 1;
	if (is("atomic"))
		atomic_fetch_add(&n->counter, 1);
	if (is("copy"))
		sink = *(long *)memcpy(copy, n->name, strlen(what) * 10);
	if (is("length"))
		sink = (long)strlen(n->name);
	if (is("fill"))
		memset(n, 0, sizeof(*n));
	if (is("last"))
		sink = n->name[39];
	if (is("big"))
		big[60000] = 1;
	if (is("double"))
		free(n);
	if (is("realloc"))
		node = realloc(n, 100);
}

/* It takes the pointer, and comes back to it when the lock is free again. */
static void *look(void *unused)
{
	struct node *mine;

	pthread_mutex_lock(&mutex);
	mine = node;
	is_used = 1;
	pthread_cond_signal(&cond);
	while (!is_freed)
		pthread_cond_wait(&cond, &mutex);
	use(mine);
	pthread_mutex_unlock(&mutex);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t t;

	what = argc > 1 ? argv[1] : "read";
	node = calloc(1, sizeof(*node));
	big = malloc(70000);
	if (!node || !big)
		return 99;
	t = guest_start(look, NULL);
	pthread_mutex_lock(&mutex);
	while (!is_used)
		pthread_cond_wait(&cond, &mutex);
	if (is("middle"))
		free((char *)node + offset);
	free(node);
	free(big);
	is_freed = 1;
	pthread_cond_signal(&cond);
	/* As if it were nobody's: memory of the same size is wanted again. */
	if (is("read"))
		node = calloc(1, sizeof(*node));
	pthread_mutex_unlock(&mutex);
	guest_join(t);
	return guest_ok();
}
