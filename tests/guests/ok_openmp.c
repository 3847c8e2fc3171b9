/* SPDX-License-Identifier: MIT */
/*
 * ok_openmp.c - OpenMP: loops, reductions, critical and ordered parts: correct
 */
#include <assert.h>
#include <omp.h>
#include <stdio.h>

int main(void)
{
	int sum = 0, inside = 0, nr_single = 0, order = 0;

	omp_set_num_threads(3);
#pragma omp parallel for reduction(+ : sum)
	for (int i = 0; i < 30; i++)
		sum += i;
	assert(sum == 435);

#pragma omp parallel
	{
#pragma omp critical
		inside++;
#pragma omp barrier
#pragma omp single
		nr_single++;
		assert(inside == omp_get_num_threads());
	}
	assert(nr_single == 1);

#pragma omp parallel for ordered schedule(dynamic)
	for (int i = 0; i < 6; i++) {
#pragma omp ordered
		{
			assert(order == i);
			order++;
		}
	}
	puts("ok");
	return 0;
}
