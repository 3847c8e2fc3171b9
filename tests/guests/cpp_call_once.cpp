/* SPDX-License-Identifier: MIT */
/*
 * cpp_call_once.cpp - call_once guards the making of what is reset without it
 */
#include <cassert>
#include <cstdio>
#include <mutex>
#include <thread>

namespace {

std::once_flag made;
std::mutex mutex;
int connections;

void use()
{
	std::call_once(made, [] {
		std::lock_guard<std::mutex> hold(mutex);
		connections = 1;
	});
	std::lock_guard<std::mutex> hold(mutex);
	assert(connections == 1);
}

void reset()
{
	std::unique_lock<std::mutex> hold(mutex);
	int had = connections;
	connections = 0;	// and nobody will ever make it again
	hold.unlock();
	hold.lock();
	connections = had;
}

} // namespace

int main()
{
	std::thread first(use), second(reset);

	first.join();
	second.join();
	std::puts("ok");
}
