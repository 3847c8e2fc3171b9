/* SPDX-License-Identifier: MIT */
/*
 * cpp_async.cpp - std::async tasks withdraw from one account after a check
 */
#include <cassert>
#include <cstdio>
#include <future>
#include <mutex>

namespace {

std::mutex mutex;
int balance = 100;

bool withdraw(int amount)
{
	{
		std::lock_guard<std::mutex> hold(mutex);
		if (balance < amount)
			return false;
	}
	std::lock_guard<std::mutex> hold(mutex);
	balance -= amount;
	return true;
}

} // namespace

int main()
{
	auto first = std::async(std::launch::async, withdraw, 70);
	auto second = std::async(std::launch::async, withdraw, 60);

	assert(!(first.get() && second.get()));
	std::puts("ok");
}
