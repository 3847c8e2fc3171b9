// SPDX-License-Identifier: MIT
/*
 * cpp_frame.cpp - two threads add to a counter in a frame, the C++ ways
 *
 * Argument 1: lambda (captured by reference), bound (std::ref), nested (a lambda
 * that captures a lambda), base (the second base class is handed on), exception
 * (handed on by a catch block), future (std::async). All are broken. ok: captured
 * by value, each thread has its own.
 */
#include <cassert>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/guests/guest.h"

#define NOINLINE __attribute__((noinline))

struct first {
	virtual ~first() = default;
	volatile int count = 0;
};

struct second {
	virtual ~second() = default;
	virtual void add() = 0;
};

struct both : first, second {
	void add() override { count = count + 1; }
};

static void add_to(volatile int &count)
{
	count = count + 1;
}

static NOINLINE int lambda()
{
	volatile int count = 0;
	std::thread t([&count] { count = count + 1; });

	count = count + 1;
	t.join();
	return count;
}

static NOINLINE int bound()
{
	volatile int count = 0;
	std::thread t(add_to, std::ref(count));

	count = count + 1;
	t.join();
	return count;
}

static NOINLINE int nested()
{
	volatile int count = 0;
	auto inner = [&] { count = count + 1; };
	std::thread t([&] { inner(); });

	count = count + 1;
	t.join();
	return count;
}

static NOINLINE std::thread start(second &s)
{
	return std::thread([&s] { s.add(); });
}

static NOINLINE int base()
{
	both b;
	std::thread t = start(b);

	b.count = b.count + 1;
	t.join();
	return b.count;
}

static NOINLINE void fail(volatile int n)
{
	if (n == 0)
		throw std::runtime_error("none yet");
}

static NOINLINE int exception()
{
	volatile int count = 0;
	std::thread t;

	try {
		fail(count);
	} catch (const std::exception &e) {
		t = std::thread(add_to, std::ref(count));
	}
	count = count + 1;
	if (t.joinable())
		t.join();
	return count;
}

static NOINLINE int future()
{
	volatile int count = 0;
	auto f = std::async(std::launch::async, [&] { count = count + 1; });

	count = count + 1;
	f.get();
	return count;
}

static NOINLINE int own()
{
	volatile int count = 0;
	std::thread t([copy = 1]() mutable { copy = copy + 1; });

	count = count + 2;
	t.join();
	return count;
}

int main(int argc, char **argv)
{
	std::string way = argc > 1 ? argv[1] : "lambda";
	int n = way == "lambda" ? lambda() :
		way == "bound" ? bound() :
		way == "nested" ? nested() :
		way == "base" ? base() :
		way == "exception" ? exception() :
		way == "future" ? future() : own();

	assert(n == 2);
	return guest_ok();
}
