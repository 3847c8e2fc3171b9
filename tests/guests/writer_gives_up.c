/* SPDX-License-Identifier: MIT */
/*
 * writer_gives_up.c - a writer tries three times, then calls it an error
 */
#include "guest.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int value;

static void *look(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		pthread_rwlock_rdlock(&lock);
		(void)value;
		pthread_rwlock_unlock(&lock);
	}
	return NULL;
}

static void *change(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		if (!pthread_rwlock_trywrlock(&lock)) {
			value++;
			pthread_rwlock_unlock(&lock);
			return NULL;
		}
	}
	return (void *)1;
}

int main(void)
{
	pthread_t t = guest_start(look, NULL);
	pthread_t u = guest_start(look, NULL);
	pthread_t v = guest_start(change, NULL);
	void *failed;

	guest_join(t);
	guest_join(u);
	pthread_join(v, &failed);
	if (failed)
		return 5;
	return guest_ok();
}
