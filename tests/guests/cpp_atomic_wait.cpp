/* SPDX-License-Identifier: MIT */
/*
 * cpp_atomic_wait.cpp - std::atomic wait: two wait, and one is notified
 */
#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

namespace {

std::mutex log_lock;
int nr_lines;

// Enough to do for the others to come to their wait.
void prepare()
{
	for (int i = 0; i < 8; i++) {
		std::lock_guard<std::mutex> hold(log_lock);
		nr_lines++;
	}
}

} // namespace

int main()
{
	std::atomic<int> gate{0};
	auto pass = [&] { gate.wait(0); };
	std::thread first(pass), second(pass);

	prepare();
	gate.store(1);
	gate.notify_one();
	first.join();
	second.join();
	std::puts("ok");
}
