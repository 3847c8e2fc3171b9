/* SPDX-License-Identifier: MIT */
/*
 * frame_shared.c - two threads add to a counter in the frame of one of them
 *
 * Argument 1 says how the other thread comes to know of it: plain (its address),
 * array (that of an element), node (that of a member behind it), end (that of
 * the end of the array it is in), pair (a structure that has its address),
 * varargs, parameter (a structure passed by value), alloca, variable (an array
 * of variable length), aligned (a frame that realigns the stack), cold (from a
 * branch that is hardly ever taken), callee (the frame is two calls up). All
 * are broken, at all levels of optimisation. own: each counts in its own frame,
 * with the address known to nobody; ok: with a join between.
 */
#include <alloca.h>
#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "tests/guests/guest.h"

#define NOINLINE __attribute__((noinline))

struct node {
	void *next;
};

struct object {
	volatile int first;
	volatile int count;
	struct node node;
	volatile int last;
};

struct pair {
	int nr;
	volatile int *count;
};

static volatile int nr_threads = 2;

static void *add_to(void *arg)
{
	volatile int *count = arg;

	*count = *count + 1;
	return NULL;
}

static void *add_to_node(void *arg)
{
	char *base = (char *)arg - offsetof(struct object, node);

	return add_to((void *)&((struct object *)base)->count);
}

static void *add_below(void *arg)
{
	return add_to((int *)arg - 2);
}

static void *add_to_pair(void *arg)
{
	return add_to((void *)((struct pair *)arg)->count);
}

static NOINLINE pthread_t start_from(int nr, ...)
{
	pthread_t t;
	va_list args;

	va_start(args, nr);
	while (--nr)
		(void)va_arg(args, int);
	t = guest_start(add_to, va_arg(args, void *));
	va_end(args);
	return t;
}

static NOINLINE int plain(void)
{
	volatile int count = 0;
	pthread_t t = guest_start(add_to, (void *)&count);

	count = count + 1;
	guest_join(t);
	return count;
}

static NOINLINE int array(void)
{
	volatile int count[8] = { 0 };
	pthread_t t = guest_start(add_to, (void *)&count[3]);

	count[3] = count[3] + 1;
	guest_join(t);
	return count[3];
}

static NOINLINE int node(void)
{
	struct object o = { .first = 0 };
	pthread_t t = guest_start(add_to_node, &o.node);

	o.count = o.count + 1;
	guest_join(t);
	return o.count;
}

static NOINLINE int end(void)
{
	volatile int count[4] = { 0 };
	pthread_t t = guest_start(add_below, (void *)&count[4]);

	count[2] = count[2] + 1;
	guest_join(t);
	return count[2];
}

static NOINLINE int pair(void)
{
	volatile int count = 0;
	struct pair p = { 1, &count };
	pthread_t t = guest_start(add_to_pair, &p);

	count = count + 1;
	guest_join(t);
	return count;
}

static NOINLINE int varargs(void)
{
	volatile int count = 0;
	pthread_t t = start_from(3, 1, 2, &count);

	count = count + 1;
	guest_join(t);
	return count;
}

static NOINLINE int parameter(struct object o)
{
	pthread_t t = guest_start(add_to, (void *)&o.count);

	o.count = o.count + 1;
	guest_join(t);
	return o.count;
}

static NOINLINE int on_alloca(void)
{
	volatile int *count = alloca(sizeof(int) * (size_t)nr_threads);
	pthread_t t;

	count[1] = 0;
	t = guest_start(add_to, (void *)&count[1]);
	count[1] = count[1] + 1;
	guest_join(t);
	return count[1];
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wvla"
static NOINLINE int variable(void)
{
	volatile int count[nr_threads];
	pthread_t t;

	count[1] = 0;
	t = guest_start(add_to, (void *)&count[1]);
	count[1] = count[1] + 1;
	guest_join(t);
	return count[1];
}
#pragma GCC diagnostic pop

static NOINLINE int aligned(void)
{
	volatile int count[16] __attribute__((aligned(64))) = { 0 };
	pthread_t t = guest_start(add_to, (void *)&count[5]);

	count[5] = count[5] + 1;
	guest_join(t);
	return count[5];
}

static NOINLINE __attribute__((cold)) pthread_t start_cold(void *count)
{
	return guest_start(add_to, count);
}

static NOINLINE int cold(void)
{
	volatile int count = 0;
	pthread_t t = 0;

	if (__builtin_expect(nr_threads == 2, 0))
		t = start_cold((void *)&count);
	count = count + 1;
	if (t)
		guest_join(t);
	return count;
}

static NOINLINE pthread_t hand_over(volatile int *count)
{
	return guest_start(add_to, (void *)count);
}

static NOINLINE pthread_t hand_down(struct object *o)
{
	return hand_over(&o->last);
}

static NOINLINE int callee(void)
{
	struct object o = { .last = 0 };
	pthread_t t = hand_down(&o);

	o.last = o.last + 1;
	guest_join(t);
	return o.last;
}

static void *count_alone(void *arg)
{
	volatile int count = 1;

	count = count + 1;
	assert(count == 2);
	return arg;
}

static NOINLINE int own(void)
{
	pthread_t t = guest_start(count_alone, NULL);

	count_alone(NULL);
	guest_join(t);
	return 2;
}

static NOINLINE int ok(void)
{
	volatile int count[2] = { 0 };

	guest_join(guest_start(add_to, (void *)&count[1]));
	count[1] = count[1] + 1;
	return count[1];
}

static NOINLINE int by_value(void)
{
	struct object o = { .first = 0 };

	return parameter(o);
}

static const struct {
	const char *name;
	int (*run)(void);
} ways[] = {
	{ "plain", plain }, { "array", array }, { "node", node },
	{ "end", end }, { "pair", pair }, { "varargs", varargs },
	{ "parameter", by_value }, { "alloca", on_alloca },
	{ "variable", variable }, { "aligned", aligned }, { "cold", cold },
	{ "callee", callee }, { "own", own }, { "ok", ok },
};

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "plain";

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(ways[i].name, way)) {
			assert(ways[i].run() == 2);
			return guest_ok();
		}
	return 99;
}
