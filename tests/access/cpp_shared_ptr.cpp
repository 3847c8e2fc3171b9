/* SPDX-License-Identifier: MIT */
/*
 * cpp_shared_ptr.cpp - one std::shared_ptr object is copied and assigned
 *
 * The count of a std::shared_ptr is atomic, the pointer object is not.
 * Argument 1: broken, or ok (each thread copies a const one).
 */
#include <atomic>
#include <cassert>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>

namespace {

std::atomic<int> nr_alive;

struct thing {
	int value = 7;
	thing() { nr_alive++; }
	~thing()
	{
		value = 0;
		nr_alive--;
	}
};

std::shared_ptr<thing> shared;
bool is_ok;

void read_it()
{
	std::shared_ptr<thing> mine = shared;

	assert(mine->value == 7);
}

void replace_it()
{
	if (is_ok)
		read_it();
	else
		shared = std::make_shared<thing>();
}

}

int main(int argc, char **argv)
{
	is_ok = argc > 1 && !std::strcmp(argv[1], "ok");
	shared = std::make_shared<thing>();
	std::thread t(read_it);
	std::thread u(replace_it);

	t.join();
	u.join();
	shared.reset();
	assert(nr_alive == 0);
	std::puts("ok");
	return 0;
}
