/* SPDX-License-Identifier: MIT */
/*
 * stop_flag.c - threads run until a plain flag stops them
 *
 * Argument 1: ok (an empty loop), work (a loop that counts), backoff (counts in
 * a register, and yields now and then), result (correct: the flag says that the
 * result is there), broken (it says so too early).
 */
#include <assert.h>
#include <sched.h>
#include <string.h>

#include "tests/guests/guest.h"

static volatile int stop;
static volatile int result;
static volatile unsigned long nr_turns[2];
static const char *way;

static void *run(void *arg)
{
	uintptr_t me = (uintptr_t)arg;

	if (!strcmp(way, "work")) {
		while (!stop)
			nr_turns[me]++;
	} else if (!strcmp(way, "backoff")) {
		for (unsigned int i = 1; !stop; i++)
			if (i % 16 == 0)
				sched_yield();
	} else {
		while (!stop)
			continue;
	}
	if (!strcmp(way, "result") || !strcmp(way, "broken"))
		assert(result == 42);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	way = argc > 1 ? argv[1] : "ok";
	t = guest_start(run, (void *)0);
	u = guest_start(run, (void *)1);
	if (!strcmp(way, "result"))
		result = 42;
	stop = 1;
	if (!strcmp(way, "broken"))
		result = 42;
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
