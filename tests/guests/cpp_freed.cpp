// SPDX-License-Identifier: MIT
//
// cpp_freed.cpp - an object that was deleted, used under the lock that its
// deletion was under, too. Argument: member, vector, condition.
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

struct session {
	long hits = 0;
	std::vector<long> list = std::vector<long>(20);
	std::condition_variable changed;
};

static std::mutex mutex;
static session *current;

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "member";
	session *s = current = new session;
	// The memory of a condition has one life after the other.
	for (int i = 0; i < 3; i++) {
		std::optional<std::condition_variable> c;
		c.emplace();
		c->notify_one();
		c.reset();
		c.emplace();
		c->notify_all();
	}
	long *item = s->list.data() + 19;
	std::thread closer([s, what] {
		std::lock_guard<std::mutex> guard(mutex);
		if (std::strcmp(what, "ok"))
			delete s;
	});
	{
		std::lock_guard<std::mutex> guard(mutex);
		if (!std::strcmp(what, "member"))
			s->hits++;
		if (!std::strcmp(what, "vector"))
			++*item;
		if (!std::strcmp(what, "condition"))
			s->changed.notify_one();
	}
	closer.join();
	if (!std::strcmp(what, "ok"))
		delete s;
	std::puts("ok");
}
