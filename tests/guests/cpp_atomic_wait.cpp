/* SPDX-License-Identifier: MIT */
/*
 * cpp_atomic_wait.cpp - std::atomic wait: two wait, and one is notified
 */
#include <atomic>
#include <cstdio>
#include <thread>

int main()
{
	std::atomic<int> gate{0};
	auto pass = [&] { gate.wait(0); };
	std::thread first(pass), second(pass);

	gate.store(1);
	gate.notify_one();
	first.join();
	second.join();
	std::puts("ok");
}
