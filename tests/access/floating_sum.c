/* SPDX-License-Identifier: MIT */
/*
 * floating_sum.c - threads add to one sum, in the type of argument 1
 *
 * Broken: float, double (SSE), long (x87, 10 bytes), vector (16 bytes by SSE).
 * Correct: own (one sum a thread), locked.
 */
#include <assert.h>
#include <string.h>

#include "tests/guests/guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static float floats;
static double doubles, own[2];
static long double longs;
static _Alignas(16) float vector[4];
static const char *way;

static void add_vector(void)
{
	static const _Alignas(16) float one[4] = { 1, 1, 1, 1 };

	__asm__ volatile("movaps %0, %%xmm1\n\t"
			 "addps %1, %%xmm1\n\t"
			 "movaps %%xmm1, %0"
			 : "+m" (vector) : "m" (one) : "xmm1");
}

static void *add(void *arg)
{
	uintptr_t me = (uintptr_t)arg;

	if (!strcmp(way, "float")) {
		floats += 1;
	} else if (!strcmp(way, "double")) {
		doubles += 1;
	} else if (!strcmp(way, "long")) {
		longs += 1;
	} else if (!strcmp(way, "vector")) {
		add_vector();
	} else if (!strcmp(way, "own")) {
		own[me] += 1;
	} else {
		pthread_mutex_lock(&lock);
		doubles += 1;
		longs += 1;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	double sum;

	way = argc > 1 ? argv[1] : "double";
	guest_run(2, add);
	sum = floats + doubles + (double)longs + own[0] + own[1] +
	      (double)vector[0];
	assert(sum == (strcmp(way, "locked") ? 2 : 4));	/* it adds to two */
	assert(vector[3] == vector[0]);
	return guest_ok();
}
