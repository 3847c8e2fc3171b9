/* SPDX-License-Identifier: MIT */
/*
 * ok_cpp_static.cpp - static objects made before main and on first use: correct
 */
#include <cassert>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>

namespace {

std::mutex mutex;
int nr_made, nr_threads_made;

/* Starts a thread before main does. */
struct Early {
	Early()
	{
		std::thread([this] { name = "early"; }).join();
	}
	std::string name;
};

Early early;

struct Late {
	Late()
	{
		std::lock_guard<std::mutex> hold(mutex);
		nr_made++;
	}
	std::string name = "late";
};

const std::string &late_name()
{
	static Late late;
	return late.name;
}

struct PerThread {
	PerThread()
	{
		std::lock_guard<std::mutex> hold(mutex);
		nr_threads_made++;
	}
	~PerThread()
	{
		std::lock_guard<std::mutex> hold(mutex);
		nr_threads_made--;
	}
	int uses = 0;
};

void work()
{
	thread_local PerThread mine;

	assert(late_name() == "late");
	assert(++mine.uses == 1);
}

} // namespace

int main()
{
	assert(early.name == "early");
	std::thread one(work), two(work), three(work);
	one.join();
	two.join();
	three.join();
	assert(nr_made == 1 && nr_threads_made == 0);
	std::puts("ok");
}
