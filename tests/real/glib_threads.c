/* SPDX-License-Identifier: MIT */
/*
 * glib_threads.c - GLib's own locks, pool and queue: correct, no data race.
 */
#include <glib.h>
#include <stdio.h>

#define NR_ITEMS 8

static GMutex mutex;
static GCond cond;
static GAsyncQueue *queue;
static int items[NR_ITEMS], sum, is_ready, seen;

static void add(gpointer data, gpointer user_data)
{
	const int *item = data;

	(void)user_data;
	g_mutex_lock(&mutex);
	sum += *item;
	g_mutex_unlock(&mutex);
	g_async_queue_push(queue, data);
}

static gpointer wait_ready(gpointer data)
{
	g_mutex_lock(&mutex);
	while (!is_ready)
		g_cond_wait(&cond, &mutex);
	seen = is_ready;
	g_mutex_unlock(&mutex);
	return data;
}

/* A value made once, and memory that goes from thread to thread. */
static gpointer use_once(gpointer data)
{
	static gsize once;
	static int value;
	int *slice = g_slice_new(int);

	if (g_once_init_enter(&once)) {
		value = 7;
		g_once_init_leave(&once, 1);
	}
	*slice = value;
	if (*slice != 7)
		g_error("not made");
	g_slice_free(int, slice);
	return data;
}

int main(void)
{
	GThreadPool *pool;
	GThread *waiter, *user[2];
	int total = 0;

	queue = g_async_queue_new();
	pool = g_thread_pool_new(add, NULL, 3, TRUE, NULL);
	waiter = g_thread_new("waiter", wait_ready, NULL);
	for (int i = 0; i < 2; i++)
		user[i] = g_thread_new("user", use_once, NULL);
	for (int i = 0; i < NR_ITEMS; i++) {
		items[i] = i;
		g_thread_pool_push(pool, &items[i], NULL);
	}
	for (int i = 0; i < NR_ITEMS; i++)
		*(int *)g_async_queue_pop(queue) += 100;
	g_mutex_lock(&mutex);
	is_ready = 1;
	g_cond_broadcast(&cond);
	g_mutex_unlock(&mutex);
	g_thread_join(waiter);
	for (int i = 0; i < 2; i++)
		g_thread_join(user[i]);
	g_thread_pool_free(pool, FALSE, TRUE);
	for (int i = 0; i < NR_ITEMS; i++)
		total += items[i];
	puts(sum == 28 && total == 828 && seen == 1 ? "ok" : "wrong");
	return 0;
}
