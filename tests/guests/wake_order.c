/* SPDX-License-Identifier: MIT */
/*
 * wake_order.c - takes for granted that the first to wait is the first woken
 */
#include <assert.h>
#include <sched.h>

#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static int next_ticket, nr_waiting, tokens, nr_served;

static void *wait_for_turn(void *arg)
{
	int ticket;

	(void)arg;
	pthread_mutex_lock(&lock);
	ticket = next_ticket++;
	nr_waiting++;
	while (!tokens)
		pthread_cond_wait(&turn, &lock);
	tokens--;
	assert(ticket == nr_served);
	nr_served++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void *serve(void *arg)
{
	int served = 0, waiting;

	(void)arg;
	while (served < 2) {
		pthread_mutex_lock(&lock);
		waiting = nr_waiting == 2 && nr_served == served && !tokens;
		if (waiting) {
			tokens++;
			served++;
			pthread_cond_signal(&turn);
		}
		pthread_mutex_unlock(&lock);
		sched_yield();
		guest_compute();
	}
	return NULL;
}

int main(void)
{
	pthread_t t = guest_start(wait_for_turn, NULL);
	pthread_t u = guest_start(wait_for_turn, NULL);
	pthread_t v = guest_start(serve, NULL);

	guest_join(t);
	guest_join(u);
	guest_join(v);
	return guest_ok();
}
