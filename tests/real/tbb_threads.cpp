/* SPDX-License-Identifier: MIT */
/*
 * tbb_threads.cpp - TBB's tasks, queue and spin lock: correct, no data race.
 */
#include <cstdio>
#include <functional>
#include <vector>

#include <tbb/blocked_range.h>
#include <tbb/concurrent_queue.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_invoke.h>
#include <tbb/parallel_reduce.h>
#include <tbb/spin_mutex.h>

using range = tbb::blocked_range<size_t>;

int main()
{
	std::vector<int> v(2000);
	tbb::concurrent_queue<int> queue;
	tbb::spin_mutex mutex;
	long sum;
	int n = 0;

	tbb::parallel_for(0, 2000, [&](int i) { v[i] = i; });
	sum = tbb::parallel_reduce(range(0, v.size()), 0L,
		[&](const range &r, long part) {
			for (size_t i = r.begin(); i != r.end(); i++)
				part += v[i];
			return part;
		}, std::plus<long>());
	tbb::parallel_invoke(
		[&] {
			for (int i = 0; i < 10; i++)
				queue.push(i);
		},
		[&] {
			int first;

			queue.try_pop(first);
		});
	tbb::parallel_for(0, 50, [&](int) {
		tbb::spin_mutex::scoped_lock lock(mutex);

		n++;
	});
	std::puts(sum == 1999000 && n == 50 ? "ok" : "wrong");
	return 0;
}
