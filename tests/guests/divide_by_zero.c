/* SPDX-License-Identifier: MIT */
/*
 * divide_by_zero.c - the number of samples is reset between check and use
 */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int sum = 42, samples = 2, average;

static int has_samples(void)
{
	int nr;

	pthread_mutex_lock(&lock);
	nr = samples;
	pthread_mutex_unlock(&lock);
	return nr > 0;
}

static void *report(void *arg)
{
	(void)arg;
	if (has_samples()) {
		pthread_mutex_lock(&lock);
		average = sum / samples;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *reset(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	sum = 0;
	samples = 0;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(report, NULL);
	pthread_t u = guest_start(reset, NULL);

	guest_join(t);
	guest_join(u);
	return guest_ok();
}
