/* SPDX-License-Identifier: MIT */
/*
 * ok_cpp_mix.cpp - C++ threads, locks, futures, atomic waits: correct
 */
#include <atomic>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace {

void queue_with_condition()
{
	std::mutex mutex;
	std::condition_variable filled;
	std::vector<int> items;
	int sum = 0;
	std::thread consumer([&] {
		for (int i = 0; i < 3; i++) {
			std::unique_lock<std::mutex> hold(mutex);
			filled.wait(hold, [&] { return !items.empty(); });
			sum += items.back();
			items.pop_back();
		}
	});

	for (int i = 1; i <= 3; i++) {
		std::lock_guard<std::mutex> hold(mutex);
		items.push_back(i);
		filled.notify_one();
	}
	consumer.join();
	assert(sum == 6);
}

void two_locks_at_once()
{
	std::mutex a, b;
	int total = 0;
	std::thread one([&] {
		std::scoped_lock hold(a, b);
		total++;
	});
	std::thread two([&] {
		std::scoped_lock hold(b, a);
		total++;
	});

	one.join();
	two.join();
	assert(total == 2);
}

void shared_and_timed()
{
	std::shared_mutex shared;
	std::timed_mutex timed;
	std::recursive_mutex recursive;
	int value = 0;
	auto work = [&] {
		{
			std::unique_lock<std::shared_mutex> hold(shared);
			value++;
		}
		std::shared_lock<std::shared_mutex> hold(shared);
		assert(value > 0);
		if (timed.try_lock_for(std::chrono::milliseconds(5)))
			timed.unlock();
		std::lock_guard<std::recursive_mutex> outer(recursive);
		std::lock_guard<std::recursive_mutex> inner(recursive);
	};
	std::thread one(work), two(work);

	one.join();
	two.join();
	assert(value == 2);
}

void futures()
{
	std::promise<int> promise;
	std::future<int> future = promise.get_future();
	std::thread setter([&] { promise.set_value(7); });
	auto task = std::async(std::launch::async, [] { return 8; });

	future.wait_for(std::chrono::milliseconds(1));
	assert(future.get() == 7);
	assert(task.get() == 8);
	setter.join();
}

void atomic_wait()
{
	std::atomic<int> gate{0};
	std::thread one([&] { gate.wait(0); });
	std::thread two([&] { gate.wait(0); });

	std::this_thread::yield();
	std::this_thread::sleep_for(std::chrono::microseconds(10));
	gate.store(1);
	gate.notify_all();
	one.join();
	two.join();
}

} // namespace

int main()
{
	queue_with_condition();
	two_locks_at_once();
	shared_and_timed();
	futures();
	atomic_wait();
	std::puts("ok");
}
