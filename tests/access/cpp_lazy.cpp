/* SPDX-License-Identifier: MIT */
/*
 * cpp_lazy.cpp - an object made on first use, in the way of argument 1
 *
 * broken (two threads may make it), static (correct: the compiler guards it),
 * exchange (correct: one wins, the other deletes its own).
 */
#include <atomic>
#include <cassert>
#include <cstdio>
#include <cstring>
#include <thread>

namespace {

std::atomic<int> nr_made;
const char *way;

struct cache {
	int size;
	cache() : size(3) { nr_made++; }
};

cache *plain;
std::atomic<cache *> published;

cache &get_broken()
{
	if (!plain)
		plain = new cache;
	return *plain;
}

cache &get_static()
{
	static cache *only = new cache;

	return *only;
}

cache &get_exchange()
{
	cache *have = published.load(std::memory_order_acquire);

	if (!have) {
		cache *mine = new cache;

		if (published.compare_exchange_strong(have, mine))
			return *mine;
		nr_made--;
		delete mine;
	}
	return *have;
}

void use()
{
	cache &c = !std::strcmp(way, "static") ? get_static() :
		   !std::strcmp(way, "exchange") ? get_exchange() :
						   get_broken();

	assert(c.size == 3);
}

}

int main(int argc, char **argv)
{
	way = argc > 1 ? argv[1] : "broken";
	std::thread t(use);
	std::thread u(use);

	t.join();
	u.join();
	assert(nr_made == 1);
	std::puts("ok");
	return 0;
}
