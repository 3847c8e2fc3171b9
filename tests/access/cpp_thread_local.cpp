// SPDX-License-Identifier: MIT
//
// cpp_thread_local.cpp - objects of threads, which know of one another.
//
//   cpp_thread_local WAY
//
// Broken: sum (a thread adds up the numbers of others while they count). Correct:
// ok (under a lock, and destructors take the objects off the list), own (objects
// that nobody else knows), next (the same, by threads one after the other).
#include <cassert>
#include <mutex>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

std::mutex lock;
bool has_lock;

struct statistics;
statistics *first;

std::unique_lock<std::mutex> take_lock()
{
	return has_lock ? std::unique_lock<std::mutex>(lock)
			: std::unique_lock<std::mutex>();
}

struct statistics {
	statistics *next = nullptr;
	long hits = 0, misses = 0;

	statistics()
	{
		std::unique_lock<std::mutex> held(lock);

		next = first;
		first = this;
	}
	~statistics()
	{
		std::unique_lock<std::mutex> held(lock);

		for (statistics **at = &first; *at; at = &(*at)->next)
			if (*at == this) {
				*at = next;
				return;
			}
	}
	void count()
	{
		auto held = take_lock();

		hits++;
		misses++;
	}
};

thread_local statistics own;

thread_local struct tally {
	std::string name{ "a name that is too long to be kept in place" };
	std::vector<int> seen;
	int nr = 0;
	~tally() { assert(nr == static_cast<int>(seen.size())); }
} tally;

long add_up()
{
	std::unique_lock<std::mutex> held(lock);
	long sum = 0;

	for (statistics *s = first; s; s = s->next) {
		long hits = s->hits;

		assert(s->misses == hits);
		sum += hits;
	}
	return sum;
}

void use_tally()
{
	for (int i = 0; i < 3; i++) {
		tally.seen.push_back(i);
		tally.nr++;
	}
	assert(tally.name.size() > 20);
}

void run_sum()
{
	std::thread a([] {
		for (int i = 0; i < 3; i++)
			own.count();
	});

	add_up();
	a.join();
}

void run_own(bool at_once)
{
	for (int i = 0; i < 3; i++) {
		std::thread a(use_tally);

		if (!at_once) {
			a.join();
			continue;
		}
		std::thread b(use_tally);

		a.join();
		b.join();
	}
}

}

int main(int argc, char **argv)
{
	std::string way = argc == 2 ? argv[1] : "";

	has_lock = way != "sum";
	if (way == "sum" || way == "ok")
		run_sum();
	else if (way == "own" || way == "next")
		run_own(way == "own");
	else
		return 2;
	assert(!first);
	return write(1, "ok\n", 3) == 3 ? 0 : 1;
}
