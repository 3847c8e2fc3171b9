/* SPDX-License-Identifier: MIT */
/*
 * publication.c - one thread makes an object, another finds it by a pointer
 *
 * Argument 1: early (published, then filled in), late (a flag beside the
 * object is set too early, the pointer is right), or ok (filled in first).
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/guests/guest.h"

struct message {
	volatile int length;
	char *volatile text;
};

static struct message storage;
static struct message *_Atomic message;
static volatile int is_ready;
static char greeting[] = "hello";
static const char *way;

static void publish(struct message *m)
{
	atomic_store_explicit(&message, m, memory_order_release);
}

static void *produce(void *arg)
{
	if (!strcmp(way, "early"))
		publish(&storage);
	if (!strcmp(way, "late"))
		is_ready = 1;
	storage.text = greeting;
	storage.length = 5;
	if (!strcmp(way, "ok"))
		publish(&storage);
	return arg;
}

static void *consume(void *arg)
{
	struct message *m = atomic_load_explicit(&message,
						 memory_order_acquire);

	if (!m && is_ready)
		m = &storage;
	if (m)
		assert((int)strlen(m->text) == m->length);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	way = argc > 1 ? argv[1] : "early";
	t = guest_start(produce, NULL);
	u = guest_start(consume, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
