/* SPDX-License-Identifier: MIT */
/*
 * ok_cpp20.cpp - C++20: latch, barrier, semaphore, jthread, stop token: correct
 */
#include <atomic>
#include <barrier>
#include <cassert>
#include <condition_variable>
#include <cstdio>
#include <latch>
#include <mutex>
#include <semaphore>
#include <stop_token>
#include <thread>
#include <vector>

namespace {

void latches()
{
	std::latch ready(2), go(1);
	std::atomic<int> sum{0};
	auto work = [&] {
		ready.count_down();
		go.wait();
		sum += 1;
	};
	std::jthread one(work), two(work);

	ready.wait();
	assert(sum == 0);
	go.count_down();
	one.join();
	two.join();
	assert(sum == 2);
}

void barriers()
{
	int phases = 0;
	std::barrier sync(2, [&]() noexcept { phases++; });
	auto work = [&] {
		for (int i = 1; i <= 3; i += 2) {
			sync.arrive_and_wait();
			assert(phases == i);
			sync.arrive_and_wait();
		}
	};
	std::jthread one(work), two(work);

	one.join();
	two.join();
	assert(phases == 4);
}

void semaphores()
{
	std::counting_semaphore<4> items(0);
	std::binary_semaphore lock(1);
	int total = 0;
	std::jthread producer([&] {
		for (int i = 0; i < 3; i++)
			items.release();
	});
	std::jthread consumer([&] {
		for (int i = 0; i < 3; i++) {
			items.acquire();
			lock.acquire();
			total++;
			lock.release();
		}
	});

	consumer.join();
	assert(total == 3);
	assert(!items.try_acquire());
}

void stop_tokens()
{
	std::mutex mutex;
	std::condition_variable_any changed;
	bool was_stopped = false;
	std::jthread waiter([&](std::stop_token stop) {
		std::unique_lock<std::mutex> hold(mutex);
		changed.wait(hold, stop, [] { return false; });
		was_stopped = stop.stop_requested();
	});

	waiter.request_stop();
	waiter.join();
	assert(was_stopped);
}

} // namespace

int main()
{
	latches();
	barriers();
	semaphores();
	stop_tokens();
	std::puts("ok");
}
