/* SPDX-License-Identifier: MIT */
/*
 * mutual_exclusion.c - two threads keep each other out with loads and stores
 *
 * Argument 1, correct where accesses take effect in program order: peterson,
 * dekker. Broken: peterson-late (announces itself after looking),
 * peterson-turn (keeps the turn instead of giving it away), dekker-no-turn
 * (backs off, and then goes in all the same).
 */
#include <assert.h>
#include <string.h>

#include "tests/guests/guest.h"

#define NR_ROUNDS 2

static volatile int wants[2];
static volatile int turn;
static volatile int nr_inside;
static volatile int nr_rounds;
static const char *way;

static void enter_peterson(int me)
{
	int other = !me;

	wants[me] = 1;
	turn = other;
	while (wants[other] && turn == other)
		continue;
}

static void enter_peterson_late(int me)
{
	int other = !me;

	turn = other;
	while (wants[other] && turn == other)
		continue;
	wants[me] = 1;
}

static void enter_peterson_turn(int me)
{
	int other = !me;

	wants[me] = 1;
	turn = me;
	while (wants[other] && turn == other)
		continue;
}

static void enter_dekker(int me)
{
	int other = !me;

	wants[me] = 1;
	while (wants[other]) {
		if (turn != me) {
			wants[me] = 0;
			while (turn != me)
				continue;
			wants[me] = 1;
		}
	}
}

static void enter_dekker_no_turn(int me)
{
	int other = !me;

	while (wants[other])
		continue;
	wants[me] = 1;
	if (wants[other] && turn != me)
		wants[me] = 0;
}

static void enter(int me)
{
	if (!strcmp(way, "peterson"))
		enter_peterson(me);
	else if (!strcmp(way, "peterson-late"))
		enter_peterson_late(me);
	else if (!strcmp(way, "peterson-turn"))
		enter_peterson_turn(me);
	else if (!strcmp(way, "dekker"))
		enter_dekker(me);
	else
		enter_dekker_no_turn(me);
}

static void *work(void *arg)
{
	int me = (int)(uintptr_t)arg;

	for (int i = 0; i < NR_ROUNDS; i++) {
		enter(me);
		nr_inside = nr_inside + 1;
		assert(nr_inside == 1);
		nr_rounds = nr_rounds + 1;
		nr_inside = nr_inside - 1;
		turn = !me;
		wants[me] = 0;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	way = argc > 1 ? argv[1] : "peterson";
	guest_run(2, work);
	assert(nr_rounds == 2 * NR_ROUNDS);
	return guest_ok();
}
