/* SPDX-License-Identifier: MIT */
/*
 * aba_stack.c - a pop in two steps meets the same top with another next
 */
#include <assert.h>

#include "guest.h"

struct node {
	struct node *next;
	int is_free;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct node c, b = { &c, 0 }, a = { &b, 0 };
static struct node *top = &a;

static struct node *pop(void)
{
	struct node *seen, *next;

	for (;;) {
		pthread_mutex_lock(&lock);
		seen = top;
		next = seen->next;
		pthread_mutex_unlock(&lock);

		/* As a compare-and-swap would. */
		pthread_mutex_lock(&lock);
		if (top == seen) {
			top = next;
			pthread_mutex_unlock(&lock);
			return seen;
		}
		pthread_mutex_unlock(&lock);
	}
}

static void push(struct node *n)
{
	pthread_mutex_lock(&lock);
	n->next = top;
	top = n;
	pthread_mutex_unlock(&lock);
}

static void *pop_one(void *arg)
{
	(void)arg;
	pop();
	return NULL;
}

/* Takes two and puts back the first one: a is on top again, b is gone. */
static void *shuffle(void *arg)
{
	struct node *x, *y;

	(void)arg;
	x = pop();
	y = pop();
	y->is_free = 1;
	push(x);
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(pop_one, NULL);
	pthread_t u = guest_start(shuffle, NULL);

	guest_join(t);
	guest_join(u);
	for (struct node *n = top; n; n = n->next)
		assert(!n->is_free);
	return guest_ok();
}
