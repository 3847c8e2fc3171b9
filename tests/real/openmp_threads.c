/* SPDX-License-Identifier: MIT */
/*
 * openmp_threads.c - OpenMP with as many threads as it makes of itself: correct,
 * no data race.
 */
#include <omp.h>
#include <stdio.h>

static int a[100];

int main(void)
{
	int sum = 0, tasks = 0, inside = 0, box = 0;

#pragma omp parallel for
	for (int i = 0; i < 100; i++)
		a[i] = i;
#pragma omp parallel for reduction(+ : sum) schedule(dynamic, 16)
	for (int i = 0; i < 100; i++)
		sum += a[99 - i];
#pragma omp parallel
	{
#pragma omp single
		{
			for (int i = 0; i < 4; i++) {
#pragma omp task shared(tasks)
				{
#pragma omp atomic
					tasks += i;
				}
			}
#pragma omp taskwait
			box = tasks;
		}
#pragma omp critical
		inside++;
#pragma omp barrier
		if (box != 6)
			puts("too early");
	}
	puts(sum == 4950 && inside == omp_get_max_threads() && inside > 1 ?
		     "ok" : "wrong");
	return 0;
}
