/* SPDX-License-Identifier: MIT */
/*
 * cpp_vector.cpp - threads append to one std::vector, by argument 1
 *
 * broken (without a lock), or ok (each to its own).
 */
#include <cassert>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

static std::vector<int> shared;
static std::vector<int> own[2];

static void append(std::vector<int> *to, int value)
{
	to->push_back(value);
}

int main(int argc, char **argv)
{
	bool is_ok = argc > 1 && !std::strcmp(argv[1], "ok");

	shared.reserve(4);	/* so that nothing is moved, only lost */
	std::thread t(append, is_ok ? &own[0] : &shared, 1);
	std::thread u(append, is_ok ? &own[1] : &shared, 2);

	t.join();
	u.join();
	assert(shared.size() + own[0].size() + own[1].size() == 2);
	std::puts("ok");
	return 0;
}
