/* SPDX-License-Identifier: MIT */
/*
 * c11_missed_signal.c - C11 threads: a signal that nobody waits for yet
 */
#include <stdio.h>
#include <threads.h>

static mtx_t lock;
static cnd_t done;

static int work(void *arg)
{
	(void)arg;
	for (volatile int i = 0; i < 1000000; i++)	/* rare otherwise */
		continue;
	mtx_lock(&lock);
	cnd_signal(&done);
	mtx_unlock(&lock);
	return 0;
}

int main(void)
{
	thrd_t t;

	mtx_init(&lock, mtx_plain);
	cnd_init(&done);
	if (thrd_create(&t, work, NULL) != thrd_success)
		return 99;
	mtx_lock(&lock);
	cnd_wait(&done, &lock);
	mtx_unlock(&lock);
	thrd_join(t, NULL);
	puts("ok");
	return 0;
}
