/* SPDX-License-Identifier: MIT */
/*
 * double_checked.c - made on first use: looks, locks, looks again
 *
 * Argument 1: broken (the pointer is set before what it points to), or atomic
 * (release and acquire, set last).
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

struct settings {
	volatile int level;
	volatile int limit;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct settings *volatile plain;
static struct settings *_Atomic published;
static const char *way;

static struct settings *get_broken(void)
{
	if (!plain) {
		pthread_mutex_lock(&lock);
		if (!plain) {
			plain = calloc(1, sizeof(*plain));
			plain->level = 3;
			plain->limit = 9;
		}
		pthread_mutex_unlock(&lock);
	}
	return plain;
}

static struct settings *get_atomic(void)
{
	struct settings *s = atomic_load_explicit(&published,
						  memory_order_acquire);

	if (s)
		return s;
	pthread_mutex_lock(&lock);
	s = atomic_load_explicit(&published, memory_order_relaxed);
	if (!s) {
		s = calloc(1, sizeof(*s));
		s->level = 3;
		s->limit = 9;
		atomic_store_explicit(&published, s, memory_order_release);
	}
	pthread_mutex_unlock(&lock);
	return s;
}

static void *use(void *arg)
{
	struct settings *s = strcmp(way, "atomic") ? get_broken()
						   : get_atomic();

	assert(s->level == 3);
	assert(s->limit == 9);
	return arg;
}

int main(int argc, char **argv)
{
	way = argc > 1 ? argv[1] : "broken";
	guest_run(2, use);
	free(plain);
	free(published);
	return guest_ok();
}
