/* SPDX-License-Identifier: MIT */
/*
 * c11_lost_update.c - C11 threads: the lock is dropped in the middle
 */
#include <assert.h>
#include <stdio.h>
#include <threads.h>

static mtx_t lock;
static once_flag once = ONCE_FLAG_INIT;
static int total;

static void make_lock(void)
{
	mtx_init(&lock, mtx_plain);
}

static int add(void *arg)
{
	int seen;

	call_once(&once, make_lock);
	mtx_lock(&lock);
	seen = total;
	mtx_unlock(&lock);
	mtx_lock(&lock);
	total = seen + *(int *)arg;
	mtx_unlock(&lock);
	return 0;
}

int main(void)
{
	int two = 2, three = 3;
	thrd_t t, u;

	if (thrd_create(&t, add, &two) != thrd_success ||
	    thrd_create(&u, add, &three) != thrd_success)
		return 99;
	thrd_join(t, NULL);
	thrd_join(u, NULL);
	assert(total == 5);
	puts("ok");
	return 0;
}
