/* SPDX-License-Identifier: MIT */
/*
 * late_path.c - code that only few schedules reach, and a race in it: what runs
 * show of it must count, whichever job it was that saw it, and however often
 * the same code was harmless before
 *
 *	late_path new	the accesses are made nowhere else
 *	late_path hot	one is made hundreds of times in each run, in order
 */
#include <assert.h>
#include <string.h>

#include "guest.h"

#define NR_STEPS 4
#define NR_LOOKS 300

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int order[2 * NR_STEPS], nr;
static volatile int begun, done, value;
static int is_hot;

static void step(int id)
{
	pthread_mutex_lock(&lock);
	order[nr++] = id;
	pthread_mutex_unlock(&lock);
}

/* Whether the first steps came in one order of 16. */
static int is_rare(void)
{
	static const int wanted[] = { 1, 0, 0, 1 };

	return !memcmp(order, wanted, sizeof(wanted));
}

static void look(void)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < NR_LOOKS; i++) {
		int first = value;

		assert(first == value);
	}
	pthread_mutex_unlock(&lock);
}

static void *reader(void *arg)
{
	int rare;

	(void)arg;
	for (int i = 0; i < NR_STEPS; i++)
		step(0);
	pthread_mutex_lock(&lock);
	rare = is_rare();
	pthread_mutex_unlock(&lock);
	if (is_hot)
		look();
	else if (rare && begun)
		assert(done);
	return NULL;
}

static void *writer(void *arg)
{
	int rare;

	(void)arg;
	for (int i = 0; i < NR_STEPS; i++)
		step(1);
	pthread_mutex_lock(&lock);
	rare = is_rare();
	if (is_hot && !rare)
		value++;
	pthread_mutex_unlock(&lock);
	if (is_hot && rare)
		value++;
	if (!is_hot && rare) {
		begun = 1;
		done = 1;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t, u;

	is_hot = argc > 1 && !strcmp(argv[1], "hot");
	t = guest_start(reader, NULL);
	u = guest_start(writer, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
