/* SPDX-License-Identifier: MIT */
/*
 * cpp_static_deadlock.cpp - a static initialiser and a lock, in either order
 */
#include <cstdio>
#include <mutex>
#include <thread>

namespace {

std::mutex registry_lock;
bool is_used;

struct Table {
	Table()
	{
		{
			std::lock_guard<std::mutex> hold(registry_lock);
			is_used = true;
		}
		std::lock_guard<std::mutex> hold(registry_lock);
		rows = 1;
	}
	int rows;
};

Table &table()
{
	static Table instance;	// the compiler puts a lock around this
	return instance;
}

void report()
{
	std::lock_guard<std::mutex> hold(registry_lock);
	if (is_used)
		table().rows++;
}

} // namespace

int main()
{
	std::thread first([] { table(); });
	std::thread second(report);

	first.join();
	second.join();
	std::puts("ok");
}
