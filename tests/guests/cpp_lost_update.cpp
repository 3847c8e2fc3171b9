/* SPDX-License-Identifier: MIT */
/*
 * cpp_lost_update.cpp - std::thread and std::mutex, read and write apart
 */
#include <cassert>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

namespace {

class Counter {
public:
	int get()
	{
		std::lock_guard<std::mutex> hold(mutex);
		return value;
	}
	void set(int to)
	{
		std::lock_guard<std::mutex> hold(mutex);
		value = to;
	}

private:
	std::mutex mutex;
	int value = 0;
};

} // namespace

int main()
{
	Counter counter;
	std::vector<std::thread> threads;

	for (int i = 0; i < 3; i++)
		threads.emplace_back([&] { counter.set(counter.get() + 1); });
	for (auto &t : threads)
		t.join();
	assert(counter.get() == 3);
	std::puts("ok");
}
