/* SPDX-License-Identifier: MIT */
/*
 * ok_c11.c - C11 threads: every call once, used rightly
 */
#include <assert.h>
#include <stdio.h>
#include <threads.h>
#include <time.h>

static mtx_t lock, recursive, timed;
static cnd_t changed;
static once_flag once = ONCE_FLAG_INIT;
static tss_t key;
static int nr_made, nr_destroyed, turn;
static thread_local int mine;

static void make(void)
{
	nr_made++;
}

static void destroy(void *data)
{
	(void)data;
	mtx_lock(&lock);
	nr_destroyed++;
	mtx_unlock(&lock);
}

static int work(void *arg)
{
	int me = *(int *)arg, rc;
	struct timespec end;

	call_once(&once, make);
	tss_set(key, arg);
	mine = me;
	mtx_lock(&lock);
	while (turn != me)
		cnd_wait(&changed, &lock);
	turn++;
	cnd_broadcast(&changed);
	mtx_unlock(&lock);

	mtx_lock(&recursive);
	mtx_lock(&recursive);
	mtx_unlock(&recursive);
	mtx_unlock(&recursive);

	timespec_get(&end, TIME_UTC);
	end.tv_sec++;
	rc = mtx_timedlock(&timed, &end);
	assert(rc == thrd_success || rc == thrd_timedout);
	thrd_yield();
	if (rc == thrd_success)
		mtx_unlock(&timed);
	rc = mtx_trylock(&timed);
	assert(rc == thrd_success || rc == thrd_busy);
	if (rc == thrd_success)
		mtx_unlock(&timed);
	assert(mine == me && tss_get(key) == arg);
	if (me == 1)
		thrd_exit(11);
	return me + 10;
}

int main(void)
{
	struct timespec end, nap = { 0, 1000000 };
	int number[3] = { 0, 1, 2 }, result, rc;
	thrd_t thread[3];

	mtx_init(&lock, mtx_plain);
	mtx_init(&recursive, mtx_plain | mtx_recursive);
	mtx_init(&timed, mtx_timed);
	cnd_init(&changed);
	tss_create(&key, destroy);
	for (int i = 2; i >= 0; i--)
		assert(thrd_create(&thread[i], work, &number[i]) ==
		       thrd_success);
	thrd_sleep(&nap, NULL);
	mtx_lock(&lock);
	timespec_get(&end, TIME_UTC);
	end.tv_sec++;
	rc = thrd_success;
	while (turn < 3 && rc == thrd_success)
		rc = cnd_timedwait(&changed, &lock, &end);
	assert(rc == thrd_success || rc == thrd_timedout);
	mtx_unlock(&lock);
	for (int i = 0; i < 3; i++) {
		assert(thrd_join(thread[i], &result) == thrd_success);
		assert(result == i + 10);
	}
	assert(turn == 3 && nr_made == 1 && nr_destroyed == 3);
	cnd_destroy(&changed);
	mtx_destroy(&lock);
	puts("ok");
	return 0;
}
