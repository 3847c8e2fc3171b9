/* SPDX-License-Identifier: MIT */
/*
 * cpp_random.cpp - a lost update after as many operations as a static object's
 * and main's random_device and the clock at startup say
 *
 * The processor's own random numbers are left alone where it admits to them:
 * there nobody can make them the same again.
 */
#include <cassert>
#include <chrono>
#include <cpuid.h>
#include <mutex>
#include <random>
#include <thread>

static std::mutex lock;
static int count;

static bool has_own_numbers()
{
	unsigned int a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_RDRND))
		return true;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_RDSEED);
}

static unsigned int draw()
{
	return has_own_numbers() ? 7 : std::random_device{}() % 64;
}

static unsigned int drawn_early = draw();
static auto early = std::chrono::system_clock::now().time_since_epoch() /
		    std::chrono::microseconds(1);

static void work()
{
	int seen;

	{
		std::lock_guard<std::mutex> guard(lock);
		seen = count;
	}
	std::lock_guard<std::mutex> guard(lock);
	count = seen + 1;
}

int main()
{
	unsigned int nr = drawn_early + draw() + early % 64;

	for (; nr; nr--)
		std::lock_guard<std::mutex> guard(lock);
	std::thread t(work), u(work);
	t.join();
	u.join();
	assert(count == 2);
	return 0;
}
