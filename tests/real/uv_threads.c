/* SPDX-License-Identifier: MIT */
/*
 * uv_threads.c - libuv's thread pool and wake-ups: correct, no data race.
 */
#include <stdio.h>
#include <uv.h>

#define NR_JOBS 8

static int input[NR_JOBS], output[NR_JOBS], sum, from_thread;
static uv_async_t wake;

static void work(uv_work_t *job)
{
	int i = *(int *)job->data;

	output[i] = i * i;
}

static void after(uv_work_t *job, int status)
{
	(void)status;
	sum += output[*(int *)job->data];
}

static void woken(uv_async_t *async)
{
	if (from_thread != 5)
		puts("too early");
	uv_close((uv_handle_t *)async, NULL);
}

static void wake_loop(void *arg)
{
	(void)arg;
	from_thread = 5;
	uv_async_send(&wake);
}

int main(void)
{
	uv_loop_t *loop = uv_default_loop();
	uv_work_t job[NR_JOBS];
	uv_thread_t thread;

	uv_async_init(loop, &wake, woken);
	for (int i = 0; i < NR_JOBS; i++) {
		input[i] = i;
		job[i].data = &input[i];
		uv_queue_work(loop, &job[i], work, after);
	}
	uv_thread_create(&thread, wake_loop, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	uv_thread_join(&thread);
	puts(sum == 140 ? "ok" : "wrong");
	return 0;
}
