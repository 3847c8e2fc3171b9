/* SPDX-License-Identifier: MIT */
/*
 * ok_destroyed.c - ends of objects that the standard allows: by the last user,
 * right after its last use, with a new life of the memory thereafter.
 */
#include <assert.h>
#include <semaphore.h>
#include <string.h>

#include "guest.h"

struct shared {
	pthread_mutex_t mutex;
	int nr;
};

/* The last one out destroys the lock that it has just given up. */
static void *last_one_out(void *arg)
{
	struct shared *s = arg;
	int is_last;

	pthread_mutex_lock(&s->mutex);
	is_last = !--s->nr;
	pthread_mutex_unlock(&s->mutex);
	if (is_last) {
		pthread_mutex_destroy(&s->mutex);
		free(s);
	}
	return NULL;
}

static void reference_count(void)
{
	struct shared *s = malloc(sizeof(*s));
	pthread_t t[2];

	pthread_mutex_init(&s->mutex, NULL);
	s->nr = 2;
	for (int i = 0; i < 2; i++)
		t[i] = guest_start(last_one_out, s);
	for (int i = 0; i < 2; i++)
		guest_join(t[i]);
}

/* Woken waiters may still be leaving: the destruction waits for them. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t *cond;
static int is_done;

static void *wait_for_it(void *unused)
{
	pthread_mutex_lock(&mutex);
	while (!is_done)
		pthread_cond_wait(cond, &mutex);
	pthread_mutex_unlock(&mutex);
	return unused;
}

static void wake_and_destroy(void)
{
	pthread_t t;

	is_done = 0;
	cond = malloc(sizeof(*cond));
	pthread_cond_init(cond, NULL);
	t = guest_start(wait_for_it, NULL);
	pthread_mutex_lock(&mutex);
	is_done = 1;
	pthread_cond_broadcast(cond);
	/* Those who wait are woken; those to come will not wait. */
	pthread_cond_destroy(cond);
	free(cond);
	pthread_mutex_unlock(&mutex);
	guest_join(t);
}

/* Who waited for the post may destroy the semaphore at once. */
static void *post(void *arg)
{
	sem_post(arg);
	return NULL;
}

static void wait_and_destroy(void)
{
	sem_t *sem = malloc(sizeof(*sem));
	pthread_t t;

	sem_init(sem, 0, 0);
	t = guest_start(post, sem);
	sem_wait(sem);
	sem_destroy(sem);
	free(sem);
	guest_join(t);
}

/* One of those that a barrier lets go destroys it. */
static pthread_barrier_t *barrier;

static void *meet(void *unused)
{
	if (pthread_barrier_wait(barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
		pthread_barrier_destroy(barrier);
		free(barrier);
	}
	return unused;
}

static void meet_and_destroy(void)
{
	barrier = malloc(sizeof(*barrier));
	pthread_barrier_init(barrier, NULL, 2);
	guest_run(2, meet);
}

/* Memory has many lives, and initialisers that are no call. */
static void live_again(void)
{
	for (int i = 0; i < 3; i++) {
		pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
		pthread_cond_t c = PTHREAD_COND_INITIALIZER;
		pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
		pthread_spinlock_t spin;
		sem_t sem;

		pthread_spin_init(&spin, 0);
		sem_init(&sem, 0, 1);
		pthread_rwlock_rdlock(&rw);
		pthread_rwlock_unlock(&rw);
		pthread_cond_signal(&c);
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
		pthread_spin_lock(&spin);
		pthread_spin_unlock(&spin);
		sem_wait(&sem);
		pthread_rwlock_destroy(&rw);
		pthread_cond_destroy(&c);
		pthread_mutex_destroy(&m);
		pthread_spin_destroy(&spin);
		sem_destroy(&sem);
		memset(&rw, 0, sizeof(rw));
		assert(!pthread_rwlock_wrlock(&rw));
		pthread_rwlock_unlock(&rw);
	}
}

static void *live(void *unused)
{
	live_again();
	return unused;
}

int main(void)
{
	reference_count();
	wake_and_destroy();
	wait_and_destroy();
	meet_and_destroy();
	guest_run(2, live);
	return guest_ok();
}
