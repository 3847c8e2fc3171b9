// SPDX-License-Identifier: MIT
// A static object whose constructor starts a thread, which is joined by its
// destructor, after main. With "lost", two threads count without a lock.
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace {

std::mutex lock;
int count;

void add()
{
	int seen;
	{
		std::lock_guard<std::mutex> hold(lock);
		seen = count;
	}
	std::lock_guard<std::mutex> hold(lock);
	count = seen + 1;
}

struct service {
	std::thread worker{add};
	int others = 0;
	~service()
	{
		worker.join();
		assert(count == 1 + others);
		if (write(1, "ok\n", 3) != 3)
			abort();
	}
} the_service;

} // namespace

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "lost")) {
		std::thread other(add);
		the_service.others = 1;
		other.join();
	}
	return 0;
}
