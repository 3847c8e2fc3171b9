/* SPDX-License-Identifier: MIT */
/*
 * ok_cpp_exceptions.cpp - exceptions inside threads and across them: correct
 */
#include <cassert>
#include <cstdio>
#include <exception>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

std::mutex mutex;
int nr_caught;

void risky(int depth)
{
	if (!depth)
		throw std::runtime_error("deep down");
	std::lock_guard<std::mutex> hold(mutex);
	if (depth == 1)
		throw std::logic_error("with the lock held");
}

void work(int depth)
{
	try {
		risky(depth);
	} catch (const std::exception &) {
		std::lock_guard<std::mutex> hold(mutex);
		nr_caught++;
	}
}

int once_fails_first()
{
	static std::once_flag flag;
	static bool has_failed;

	for (;;) {
		try {
			std::call_once(flag, [] {
				if (!has_failed) {
					has_failed = true;
					throw 1;
				}
			});
			return 0;
		} catch (int) {
		}
	}
}

} // namespace

int main()
{
	std::thread one(work, 0), two(work, 1), three(work, 2);
	auto failing = std::async(std::launch::async, []() -> int {
		throw std::out_of_range("from a task");
	});
	std::string text;

	try {
		failing.get();
	} catch (const std::out_of_range &e) {
		text = e.what();
	}
	one.join();
	two.join();
	three.join();
	assert(text == "from a task");
	assert(nr_caught == 2);
	std::thread four(once_fails_first), five(once_fails_first);
	four.join();
	five.join();
	std::puts("ok");
}
