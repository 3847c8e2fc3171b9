/* SPDX-License-Identifier: MIT */
/*
 * shown.c - what dumps and reports must show: values by type, both stacks of a
 * race, the variable or heap block. For check-shown; lines are found by the
 * words in their comments.
 *
 * Argument 1: values (a reader that sees one variable old and another new
 * fails), races (two races, both harmless, and an atomic handover), handover
 * (what no compiler makes of an atomic access is handed over by one: an update
 * in place, and 16 bytes at once).
 */
#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "tests/guests/guest.h"

#define NOINLINE __attribute__((noinline))

/* ----------------------------------------------------------------- values */

enum phase { PHASE_IDLE, PHASE_BUSY };
struct node { struct node *next; short weight; };

static int first, last;
static enum phase phase;
static double ratio;
static float share;
static bool is_set;
static char letter = 'a';
static short below = -1;
static unsigned int top;
static long long big;
static struct node nodes[2];
static struct node *head;
static struct { char pad[3]; unsigned char bytes[4]; } packed;

static void *write_all(void *arg)
{
	(void)arg;
	first = 1;
	phase = PHASE_BUSY;
	ratio = 0.1;
	share = 2.5f;
	is_set = true;
	letter = 'z';
	below -= 1;
	top = 4000000000u;
	big = -4294967296;
	head = &nodes[1];
	nodes[1].weight = 12;
	packed.bytes[2] = 200;
	last = 7;
	return NULL;
}

static void *read_all(void *arg)
{
	int before = first, after;

	(void)arg;
	/* Reading makes the writes operations; what is read does not matter. */
	if (phase == PHASE_BUSY && ratio > 1 && share > 9 && is_set)
		puts("impossible");
	if (letter == 'b' || below == 3 || top == 2 || big == 1 ||
	    head == &nodes[0] || nodes[1].weight == 1 || packed.bytes[2] == 1)
		puts("impossible");
	if (is_set && share < 0)
		puts("impossible");
	after = last;
	assert(before || !after);
	return NULL;
}

static void check_values(void)
{
	pthread_t writer = guest_start(write_all, NULL);
	pthread_t reader = guest_start(read_all, NULL);

	guest_join(writer);
	guest_join(reader);
}

/* ------------------------------------------------------------------ races */

struct box { int unused[3]; int content; };

static int table[8];
static struct box *box;
static int handed_over;
static atomic_int is_ready;

static NOINLINE void put(int *slot, int value)
{
	*slot = value;		/* the store */
	__asm__ volatile("" ::: "memory");	/* no tail call, here and below */
}

static NOINLINE int take(const int *slot)
{
	int value = *slot;	/* the load */

	__asm__ volatile("" ::: "memory");
	return value;
}

/* The 6th and the 14th store are those to table[5]. */
static NOINLINE void fill(void)
{
	for (int i = 0; i < 8; i++)
		put(&table[i], i);	/* call of the early stores */
	__asm__ volatile("" ::: "memory");
}

static NOINLINE void fill_again(void)
{
	for (int i = 0; i < 8; i++)
		put(&table[i], -i);	/* call of the late stores */
	__asm__ volatile("" ::: "memory");
}

static NOINLINE int look(void)
{
	int sum = take(&table[5]);	/* call of the load */

	__asm__ volatile("" ::: "memory");
	return sum;
}

static NOINLINE struct box *make_box(void)
{
	struct box *made = calloc(1, sizeof(*made));	/* the block */

	__asm__ volatile("" ::: "memory");
	return made;
}

static void *produce(void *arg)
{
	(void)arg;
	fill();
	fill_again();
	box->content = 3;	/* write to the block */
	handed_over = 1;
	atomic_store_explicit(&is_ready, 1, memory_order_release);
	return NULL;
}

static void *consume(void *arg)
{
	int sum = look();

	(void)arg;
	sum += box->content;	/* read of the block */
	if (atomic_load_explicit(&is_ready, memory_order_acquire))
		sum += handed_over;	/* no race: it was handed over */
	return sum == 1000 ? arg : NULL;
}

static void check_races(void)
{
	pthread_t producer, consumer;

	box = make_box();
	producer = guest_start(produce, NULL);
	consumer = guest_start(consume, NULL);
	guest_join(producer);
	guest_join(consumer);
	free(box);
}

/* --------------------------------------------------------------- handover */

typedef long vector __attribute__((vector_size(16)));

static vector wide;
static long nr_turns;

static void *give(void *arg)
{
	wide = (vector){ 1, 2 };
	nr_turns++;
	atomic_store_explicit(&is_ready, 1, memory_order_release);
	return arg;
}

static void *receive(void *arg)
{
	if (atomic_load_explicit(&is_ready, memory_order_acquire)) {
		vector seen = wide;

		nr_turns++;
		assert(seen[0] == 1 && seen[1] == 2 && nr_turns == 2);
	}
	return arg;
}

static void check_handover(void)
{
	pthread_t giver = guest_start(give, NULL);
	pthread_t receiver = guest_start(receive, NULL);

	guest_join(giver);
	guest_join(receiver);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "values"))
		check_values();
	else if (argc > 1 && !strcmp(argv[1], "handover"))
		check_handover();
	else
		check_races();
	return guest_ok();
}
