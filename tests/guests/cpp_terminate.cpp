/* SPDX-License-Identifier: MIT */
/*
 * cpp_terminate.cpp - an exception leaves a thread when the queue is empty
 */
#include <cstdio>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace {

std::mutex mutex;
std::deque<int> queue{1};

bool has_item()
{
	std::lock_guard<std::mutex> hold(mutex);
	return !queue.empty();
}

void take()
{
	std::lock_guard<std::mutex> hold(mutex);
	if (queue.empty())
		throw std::runtime_error("the queue is empty");
	queue.pop_front();
}

void consume()
{
	if (has_item())
		take();
}

} // namespace

int main()
{
	std::thread first(consume), second(consume);

	first.join();
	second.join();
	std::puts("ok");
}
