/* SPDX-License-Identifier: MIT */
/*
 * bank.c - three tellers move money between accounts. There is a bug.
 *
 * Every account has a lock, and no balance is ever touched without it. The
 * test passes thousands of times in a row. See README.md.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>

struct account {
	pthread_mutex_t lock;
	int balance;
};

static struct account alice = { PTHREAD_MUTEX_INITIALIZER, 100 };
static struct account bob = { PTHREAD_MUTEX_INITIALIZER, 50 };
static struct account carol = { PTHREAD_MUTEX_INITIALIZER, 0 };

static int balance_of(struct account *a)
{
	int balance;

	pthread_mutex_lock(&a->lock);
	balance = a->balance;
	pthread_mutex_unlock(&a->lock);
	return balance;
}

static void add(struct account *a, int amount)
{
	pthread_mutex_lock(&a->lock);
	a->balance += amount;
	assert(a->balance >= 0);	/* the bank gives no credit */
	pthread_mutex_unlock(&a->lock);
}

static void transfer(struct account *from, struct account *to, int amount)
{
	if (balance_of(from) < amount)
		return;		/* not enough money: refused */
	add(from, -amount);
	add(to, amount);
}

static void *pay_the_rent(void *unused)
{
	transfer(&alice, &bob, 80);
	return unused;
}

static void *pay_back(void *unused)
{
	transfer(&bob, &alice, 10);
	return unused;
}

static void *buy_a_bicycle(void *unused)
{
	transfer(&alice, &carol, 60);
	return unused;
}

int main(void)
{
	void *(*teller[3])(void *) = { pay_the_rent, pay_back, buy_a_bicycle };
	pthread_t thread[3];

	for (int i = 0; i < 3; i++)
		if (pthread_create(&thread[i], NULL, teller[i], NULL))
			return 1;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	assert(alice.balance + bob.balance + carol.balance == 150);
	puts("every cent is there");
	return 0;
}
