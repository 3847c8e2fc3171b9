/* SPDX-License-Identifier: MIT */
/*
 * cpp_shared_mutex.cpp - a cache filled under a shared lock
 */
#include <cassert>
#include <cstdio>
#include <mutex>
#include <shared_mutex>
#include <thread>

namespace {

std::shared_mutex mutex;
std::mutex compute_lock;
bool is_cached;
int nr_computed;

int compute()
{
	std::lock_guard<std::mutex> hold(compute_lock);
	return ++nr_computed;
}

void look()
{
	std::shared_lock<std::shared_mutex> hold(mutex);
	if (is_cached)
		return;
	compute();
	is_cached = true;
}

} // namespace

int main()
{
	std::thread first(look), second(look);

	first.join();
	second.join();
	assert(nr_computed == 1);
	std::puts("ok");
}
