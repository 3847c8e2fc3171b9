/* SPDX-License-Identifier: MIT */
/*
 * cpp_missed_notify.cpp - std::condition_variable waits without a predicate
 */
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

int main()
{
	std::mutex mutex;
	std::condition_variable done;
	std::thread worker([&] {
		for (volatile int i = 1000000; i;)
			i = i - 1;	// makes it rare elsewhere
		std::lock_guard<std::mutex> hold(mutex);
		done.notify_one();
	});

	{
		std::unique_lock<std::mutex> hold(mutex);
		done.wait(hold);
	}
	worker.join();
	std::puts("ok");
}
