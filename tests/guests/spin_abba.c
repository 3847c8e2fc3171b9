/* SPDX-License-Identifier: MIT */
/*
 * spin_abba.c - two spin locks in opposite order
 */
#include "guest.h"

static pthread_spinlock_t a, b;

static void *forward(void *arg)
{
	(void)arg;
	pthread_spin_lock(&a);
	pthread_spin_lock(&b);
	pthread_spin_unlock(&b);
	pthread_spin_unlock(&a);
	return NULL;
}

static void *backward(void *arg)
{
	(void)arg;
	pthread_spin_lock(&b);
	pthread_spin_lock(&a);
	pthread_spin_unlock(&a);
	pthread_spin_unlock(&b);
	return NULL;
}

int main(void)
{
	pthread_t t, u;

	pthread_spin_init(&a, PTHREAD_PROCESS_PRIVATE);
	pthread_spin_init(&b, PTHREAD_PROCESS_PRIVATE);
	t = guest_start(forward, NULL);
	u = guest_start(backward, NULL);
	guest_join(t);
	guest_join(u);
	return guest_ok();
}
