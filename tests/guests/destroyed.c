/* SPDX-License-Identifier: MIT */
/*
 * destroyed.c - one thread ends an object, another one uses it; nobody has seen
 * to it that they do so in the right order. First argument: the operation;
 * second: how the object ends (destroy, free).
 */
#include <semaphore.h>
#include <string.h>
#include <threads.h>
#include <time.h>

#include "guest.h"

struct all {
	char before[24];
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	pthread_rwlock_t rwlock;
	pthread_barrier_t barrier;
	pthread_spinlock_t spin;
	sem_t sem;
	mtx_t mtx;
	cnd_t cnd;
};

static struct all *all;
static const char *what;
static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;

static int is(const char *name)
{
	return !strcmp(what, name);
}

static void *use(void *unused)
{
	struct timespec soon = { .tv_nsec = 1 };
	int value;

	pthread_mutex_lock(&own);
	if (is("lock"))
		pthread_mutex_lock(&all->mutex);
	if (is("trylock"))
		pthread_mutex_trylock(&all->mutex);
	if (is("wait"))
		pthread_cond_timedwait(&all->cond, &own, &soon);
	if (is("signal"))
		pthread_cond_signal(&all->cond);
	if (is("rdlock"))
		pthread_rwlock_rdlock(&all->rwlock);
	if (is("trywrlock"))
		pthread_rwlock_trywrlock(&all->rwlock);
	if (is("barrier"))
		pthread_barrier_wait(&all->barrier);
	if (is("spin"))
		pthread_spin_lock(&all->spin);
	if (is("post"))
		sem_post(&all->sem);
	if (is("sem-wait"))
		sem_wait(&all->sem);
	if (is("getvalue"))
		sem_getvalue(&all->sem, &value);
	if (is("mtx"))
		mtx_lock(&all->mtx);
	if (is("cnd"))
		cnd_broadcast(&all->cnd);
	pthread_mutex_unlock(&own);
	return unused;
}

static void init(struct all *a)
{
	pthread_mutex_init(&a->mutex, NULL);
	pthread_cond_init(&a->cond, NULL);
	pthread_rwlock_init(&a->rwlock, NULL);
	pthread_barrier_init(&a->barrier, NULL, 1);
	pthread_spin_init(&a->spin, 0);
	sem_init(&a->sem, 0, 1);
	mtx_init(&a->mtx, mtx_plain);
	cnd_init(&a->cnd);
}

static void destroy(struct all *a)
{
	pthread_mutex_destroy(&a->mutex);
	pthread_cond_destroy(&a->cond);
	pthread_rwlock_destroy(&a->rwlock);
	pthread_barrier_destroy(&a->barrier);
	pthread_spin_destroy(&a->spin);
	sem_destroy(&a->sem);
	mtx_destroy(&a->mtx);
	cnd_destroy(&a->cnd);
}

int main(int argc, char **argv)
{
	pthread_t t;

	what = argc > 1 ? argv[1] : "lock";
	all = malloc(sizeof(*all));
	if (!all)
		return 99;
	init(all);
	if (is("twice")) {	/* whoever else is there */
		sem_destroy(&all->sem);
		destroy(all);
	}
	t = guest_start(use, NULL);
	if (argc > 2 && !strcmp(argv[2], "free"))
		free(all);
	else
		destroy(all);
	guest_join(t);
	return guest_ok();
}
