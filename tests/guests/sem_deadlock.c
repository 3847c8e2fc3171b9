/* SPDX-License-Identifier: MIT */
/*
 * sem_deadlock.c - two pools of two permits, taken in opposite order
 */
#include <semaphore.h>

#include "guest.h"

static sem_t buffers, workers;

static void *serve(void *arg)
{
	uintptr_t is_odd = (uintptr_t)arg % 2;
	sem_t *first = is_odd ? &workers : &buffers;
	sem_t *second = is_odd ? &buffers : &workers;

	sem_wait(first);
	sem_wait(second);
	sem_post(second);
	sem_post(first);
	return NULL;
}

int main(void)
{
	sem_init(&buffers, 0, 2);
	sem_init(&workers, 0, 2);
	guest_run(4, serve);
	return guest_ok();
}
