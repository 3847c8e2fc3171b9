/* SPDX-License-Identifier: MIT */
/*
 * ok_barrier.c - three threads in lock-step through phases: correct
 */
#include <assert.h>

#include "guest.h"

#define NR 3
#define PHASES 3

static pthread_barrier_t barrier;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int phase_of[NR], nr_serial;

static void *work(void *arg)
{
	uintptr_t me = (uintptr_t)arg;

	for (int phase = 0; phase < PHASES; phase++) {
		int rc;

		phase_of[me] = phase;
		rc = pthread_barrier_wait(&barrier);
		for (int i = 0; i < NR; i++)
			assert(phase_of[i] == phase);
		if (rc == PTHREAD_BARRIER_SERIAL_THREAD) {
			pthread_mutex_lock(&lock);
			nr_serial++;
			pthread_mutex_unlock(&lock);
		} else {
			assert(!rc);
		}
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

int main(void)
{
	pthread_barrier_init(&barrier, NULL, NR);
	guest_run(NR, work);
	assert(nr_serial == PHASES);
	assert(!pthread_barrier_destroy(&barrier));
	return guest_ok();
}
