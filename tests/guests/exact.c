/* SPDX-License-Identifier: MIT */
/*
 * exact.c - programs whose schedules a model can count, by argument 1
 *
 * Each letter describes a thread, several letters several threads:
 *	m	nothing but its start and its end
 *	a, b	locks and unlocks mutex a (b)
 *	A, B	the same twice
 *	n	locks a, then b inside, and lets both go
 *	p	posts semaphore s
 *	w	waits for semaphore s
 *	y	a small barrier for two
 *	c	waits on a condition until it is told
 *	t	tells it
 * Letters of threads that access memory without a lock. Alone such an access is
 * no operation: there must be another thread that conflicts with it.
 *	r	reads g
 *	s	stores to g
 *	i	increments g by one unlocked instruction: a read and a write
 *	k	increments g by one locked instruction
 *	g	g = g + 1, as the compiler does it
 *	q	the same, holding mutex a
 *	d	stores to g, then to h
 *	e	reads h, then g
 *	l	reads g four times, in a loop that counts: it does not wait
 *	x	adds 0 to g three times by locked instructions, likewise
 *	v	reads g three times, counting in a vector register alone
 */
#include <semaphore.h>
#include <string.h>

#include "guest.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t s;
static int is_told;
static volatile long g, h;

static void visit(pthread_mutex_t *m)
{
	pthread_mutex_lock(m);
	pthread_mutex_unlock(m);
}

static void nest(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
}

static void wait_until_told(void)
{
	pthread_mutex_lock(&a);
	while (!is_told)
		pthread_cond_wait(&told, &a);
	pthread_mutex_unlock(&a);
}

static void tell(void)
{
	pthread_mutex_lock(&a);
	is_told = 1;
	pthread_cond_signal(&told);
	pthread_mutex_unlock(&a);
}

static void add_holding(void)
{
	pthread_mutex_lock(&a);
	g = g + 1;
	pthread_mutex_unlock(&a);
}

static void count_by_vector(void)
{
	double turns = 0;

	do {
		(void)g;
		turns += 1;
	} while (turns < 3);
}

/* The threads that access memory. */
static void access_memory(char role)
{
	switch (role) {
	case 'r':
		(void)g;
		break;
	case 's':
		g = 1;
		break;
	case 'i':
		__asm__ volatile("incq %0" : "+m" (g));
		break;
	case 'k':
		__asm__ volatile("lock incq %0" : "+m" (g));
		break;
	case 'g':
		g = g + 1;
		break;
	case 'q':
		add_holding();
		break;
	case 'd':
		g = 1;
		h = 1;
		break;
	case 'e':
		(void)h;
		(void)g;
		break;
	case 'l':
		for (int i = 0; i < 4; i++)
			(void)g;
		break;
	case 'x':
		for (int i = 0; i < 3; i++)
			__atomic_fetch_add(&g, 0, __ATOMIC_SEQ_CST);
		break;
	case 'v':
		count_by_vector();
		break;
	}
}

static void *play(void *arg)
{
	switch (*(const char *)arg) {
	case 'a':
		visit(&a);
		break;
	case 'b':
		visit(&b);
		break;
	case 'A':
		visit(&a);
		visit(&a);
		break;
	case 'B':
		visit(&b);
		visit(&b);
		break;
	case 'n':
		nest();
		break;
	case 'p':
		sem_post(&s);
		break;
	case 'w':
		sem_wait(&s);
		break;
	case 'y':
		pthread_barrier_wait(&barrier);
		break;
	case 'c':
		wait_until_told();
		break;
	case 't':
		tell();
		break;
	default:
		access_memory(*(const char *)arg);
		break;
	}
	return NULL;
}

/* Made before main, which then has nothing but its threads. */
static __attribute__((constructor)) void prepare(void)
{
	sem_init(&s, 0, 0);
	pthread_barrier_init(&barrier, NULL, 2);
}

int main(int argc, char **argv)
{
	const char *cast = argc > 1 ? argv[1] : "ab";
	pthread_t thread[GUEST_MAX_THREADS];
	unsigned int nr = (unsigned int)strlen(cast);

	for (unsigned int i = 0; i < nr; i++)
		thread[i] = guest_start(play, (void *)(uintptr_t)&cast[i]);
	for (unsigned int i = 0; i < nr; i++)
		guest_join(thread[i]);
	return guest_ok();
}
